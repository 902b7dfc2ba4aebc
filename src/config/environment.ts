/** The environment variables of the process, with what a `.env` file adds. */
import { config as loadDotenv } from 'dotenv';
import { ConfigError } from './config-error.ts';

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment with what a `.env` file in the working directory adds; what is set already wins.
 * @throws {ConfigError} when the file is there and cannot be read
 */
export function readEnvironment(environment: Environment): Environment {
  const merged: Record<string, string> = {};
  // An empty value counts as not set, here too.
  for (const [name, value = ''] of Object.entries(environment)) if (value.trim() !== '') merged[name] = value;
  // Said here, or dotenv would take these from DOTENV_… variables: overriding, and words on stdout.
  const { error } = loadDotenv({ quiet: true, debug: false, override: false, processEnv: merged });
  if (error !== undefined && error.code !== 'NOT_FOUND_DOTENV_ENVIRONMENT' && !isMissing(error)) {
    throw new ConfigError('The file .env cannot be read; make it readable or remove it.', { cause: error });
  }
  return merged;
}

/** Whether a file system error says that nothing is there. */
function isMissing(error: Error): boolean {
  return 'code' in error && error.code === 'ENOENT';
}
