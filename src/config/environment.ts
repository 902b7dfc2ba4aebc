/** The environment variables of the process, with what a `.env` file adds. */
import { readFileSync } from 'node:fs';
import { parse as parseDotenv } from 'dotenv';
import { ConfigError } from './config-error.ts';

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A file of variables. */
export interface EnvironmentFile {
  readonly path: string;
  /** What it is called in messages, which hold no path of the machine. */
  readonly name: string;
}

/** The file of whoever starts something in a folder. */
const IN_WORKING_FOLDER: EnvironmentFile = { path: '.env', name: 'the file .env in the working folder' };

/**
 * The environment with what a `.env` file adds, by default that in the working folder; what is set already wins.
 * @throws {ConfigError} when the file is there and cannot be read
 */
export function readEnvironment(environment: Environment, file = IN_WORKING_FOLDER): Environment {
  // An empty value counts as not set, here too.
  const set = Object.entries(environment).filter(([, value = '']) => value.trim() !== '');
  return { ...readFile(file), ...Object.fromEntries(set) };
}

/**
 * Parses the environment and a `.env` file together; what is wrong in the file is said to be there.
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

/** What a file sets; nothing when it is not there. */
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
  // Parsed only: dotenv's loading would take orders from DOTENV_… variables, to override and to write on stdout.
  return parseDotenv(decode(bytes, name));
}

/** The text of a file; PowerShell's `>` writes UTF-16, which says so in its first two bytes. */
function decode(bytes: Buffer, name: string): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le').slice(1);
  // A text in another encoding would set nothing, and so leave authentication off.
  if (bytes.includes(0) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new ConfigError(`${capitalize(name)} is no text in UTF-8. Save it as UTF-8.`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** A name at the beginning of a sentence. */
function capitalize(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
