/** What a command works with: the file, the address of the server, the clock, and where to write. */
import { parseConfig } from '../../src/config/config.ts';
import { type Environment, readEnvironment } from '../../src/config/environment.ts';
import type { CommandLine } from './command-line.ts';
import { CommandError, EXIT } from './command-error.ts';
import { parseServerUrl } from './server-url.ts';
import { openTokenStore, type TokenStore } from './token-store.ts';

/** A command at work. */
export interface CommandContext {
  readonly line: CommandLine;
  readonly store: TokenStore;
  /** The server's address in configurations that are shown. */
  readonly origin: string;
  readonly now: () => number;
  /** Standard output: what was asked for. */
  readonly print: (text: string) => void;
  /** Standard error: what a person should know besides. */
  readonly warn: (text: string) => void;
}

/** What of the process a command may touch. */
export type CommandOutput = Pick<CommandContext, 'now' | 'print' | 'warn'>;

/**
 * Finds the file that the server would read, unless `--file` names another.
 * @throws {CommandError} for a wrong `--file` or `--url`; {@link ConfigError} for variables the server would refuse
 */
export function createContext(
  line: CommandLine,
  environment: Environment,
  output: CommandOutput,
): CommandContext {
  const { file, url } = line.values;
  if (file === '') throw new CommandError(EXIT.usage, '--file must not be empty.');
  const variables = readEnvironment(environment);
  const { auth, origin, port } = parseConfig({ ...variables, AUTH_TOKENS: undefined });
  const path = file ?? (auth.tokens.kind === 'file' ? auth.tokens.path : 'tokens.json');
  if (file === undefined && (variables['AUTH_TOKENS'] ?? '').trim() !== '')
    output.warn(
      `AUTH_TOKENS is set, so the server does not read ${path}. After a change, give it the output of: npm run -s token -- export`,
    );
  return {
    ...output,
    line,
    store: openTokenStore(path),
    origin:
      url === undefined ? (origin.publicUrl ?? `http://localhost:${port || 8000}`) : parseServerUrl(url),
  };
}
