/** What a command works with: the store, the address of the server, the clock, and where to write. */
import type { Readable } from 'node:stream';
import { parseConfig } from '../../src/config/config.ts';
import { type Environment, readEnvironment } from '../../src/config/environment.ts';
import type { CommandLine } from './command-line.ts';
import { CommandError, EXIT } from './command-error.ts';
import { parseServerUrl } from './server-url.ts';
import { openTokenStore, type TokenStore } from '../../src/auth/tokens/token-store.ts';
import { storeInDatabase } from './database-store.ts';
import { readKeptUses } from './kept-uses.ts';
import { readKnownScopes } from './known-scopes.ts';
import type { TokenUse } from './token-uses.ts';

/** The server's address. */
export interface ServerAddress {
  readonly origin: string;
  /** Whether an option or a variable names it; otherwise it is a server on this machine. */
  readonly isNamed: boolean;
}

/** The context of one command. */
export interface CommandContext {
  readonly line: CommandLine;
  readonly store: TokenStore;
  /** Whether the server reads its tokens from that store. */
  readonly isStoreRead: boolean;
  /** Where clients find the server. */
  readonly address: ServerAddress;
  /** Whether users can sign in to that server. */
  readonly canSignIn?: boolean;
  readonly now: () => number;
  /** The scopes that something of this server asks for; undefined when they cannot be found out. */
  readonly knownScopes: () => Promise<ReadonlySet<string> | undefined>;
  /** When tokens were last used, by token id; undefined where the server does not keep it. */
  readonly keptUses?: () => Promise<ReadonlyMap<string, Pick<TokenUse, 'lastUse'>> | undefined>;
  /** Standard input. Default: that of the process. */
  readonly stdin?: Readable;
  /** Writes to standard output: the result. */
  readonly print: (text: string) => void;
  /** Writes to standard error: what a person should know besides. */
  readonly warn: (text: string) => void;
}

/** The parts of the context that come from the process. */
export type CommandOutput = Pick<CommandContext, 'now' | 'stdin' | 'print' | 'warn'>;

/**
 * Makes the context. Variables are read only when a command needs them, so a command that needs none runs whatever they are.
 * The store is the one that the server would read, unless `--file` names another.
 * @throws {CommandError} when a command uses what a wrong `--file` or `--url` names; {@link ConfigError} for variables that the server
 *   would refuse
 */
export function createContext(
  line: CommandLine,
  environment: Environment,
  output: CommandOutput,
): CommandContext {
  let settings: ReturnType<typeof readSettings> | undefined;
  const read = (): ReturnType<typeof readSettings> => (settings ??= readSettings(line, environment, output));
  return {
    ...output,
    line,
    keptUses: async () => readKeptUses(read().config, output),
    knownScopes: async () => readKnownScopes(),
    get store() {
      return read().store;
    },
    get isStoreRead() {
      return read().isStoreRead;
    },
    get address() {
      return read().address;
    },
    get canSignIn() {
      return read().canSignIn;
    },
  };
}

/** Finds the store and the address. */
function readSettings({ values }: CommandLine, environment: Environment, { warn }: CommandOutput) {
  const { file, url } = values;
  if (file === '') throw new CommandError(EXIT.usage, '--file must not be empty.');
  const variables = readEnvironment(environment);
  const config = parseConfig({ ...variables, AUTH_TOKENS: undefined });
  const { auth, origin, port, signIn, provider } = config;
  const path = file ?? (auth.tokens.kind === 'file' ? auth.tokens.path : 'tokens.json');
  const isStoreRead = (variables['AUTH_TOKENS'] ?? '').trim() === '';
  if (file === undefined && !isStoreRead)
    warn(
      `AUTH_TOKENS is set, so the server does not read ${path}. After a change, give it the output of: npm run -s token -- export`,
    );
  const named = url === undefined ? origin.publicUrl : parseServerUrl(url);
  const address: ServerAddress = {
    origin: named ?? `http://localhost:${port || 8000}`,
    isNamed: named !== undefined,
  };
  const store = storeInDatabase(config, file) ?? openTokenStore(path);
  return { config, store, isStoreRead, address, canSignIn: (signIn ?? provider) !== undefined };
}
