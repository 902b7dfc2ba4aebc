/** The environment variables of the process, with what a `.env` file adds. */
import { readFileSync } from 'node:fs';
import { parse as parseDotenv } from 'dotenv';
import { ConfigError } from './config-error.ts';

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A file of variables. */
export interface EnvironmentFile {
  readonly path: string;
  /** Its name in messages, which never contain a path of the machine. */
  readonly name: string;
}

/** The `.env` file of the working directory. */
const IN_WORKING_FOLDER: EnvironmentFile = { path: '.env', name: 'the file .env in the working folder' };

/**
 * Returns the environment with the variables that a `.env` file adds, by default that of the working directory; a variable that is set
 * already wins.
 * @throws {ConfigError} when the file is there and cannot be read
 */
export function readEnvironment(environment: Environment, file = IN_WORKING_FOLDER): Environment {
  // An empty value counts as not set, here too.
  const set = Object.entries(environment).filter(([, value = '']) => value.trim() !== '');
  return { ...readFile(file), ...Object.fromEntries(set) };
}

/**
 * Parses the environment and a `.env` file together. The error says which of the bad variables are set in the file.
 * @throws {ConfigError} as `parse` does, and when the file is there and cannot be read
 */
export function parseEnvironment<Parsed>(
  environment: Environment,
  parse: (all: Environment) => Parsed,
  file = IN_WORKING_FOLDER,
): Parsed {
  const all = readEnvironment(environment, file);
  try {
    return parse(all);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const words = new Set(error.message.match(/[A-Za-z_]\w+/g));
    const blamed = Object.keys(readFile(file)).filter(
      (name) => words.has(name) && all[name] !== environment[name],
    );
    if (blamed.length === 0) throw error;
    throw new ConfigError(`${error.message}\nIn ${file.name}: ${blamed.join(', ')}.`, { cause: error });
  }
}

/**
 * Reads the variables of a file; none if it is not there.
 * @throws {ConfigError} when it cannot be read
 */
function readFile({ path, name }: EnvironmentFile): Record<string, string> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new ConfigError(`${capitalize(name)} cannot be read; make it readable or remove it.`, {
      cause: error,
    });
  }
  // Only parsed: dotenv's loading would obey DOTENV_… variables, which can make it override and write to stdout.
  return parseDotenv(decode(bytes, name));
}

/**
 * Decodes a file: UTF-8, or little-endian UTF-16 with its byte order mark, which PowerShell's `>` writes.
 * @throws {ConfigError} when it is neither
 */
function decode(bytes: Buffer, name: string): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le').slice(1);
  // A text in another encoding would set nothing, and so leave authentication off.
  if (bytes.includes(0) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new ConfigError(`${capitalize(name)} is not UTF-8 text. Save it as UTF-8.`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** Capitalizes a name for the beginning of a sentence. */
function capitalize(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
