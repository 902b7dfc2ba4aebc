/** Starts the built HTTP server as a process, as an operator would, but with the tools of the tests; its log can be read. */
import { builtFile, type Sandbox, type TestProcess, waitFor } from './process.ts';

/** How to start the server. */
export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The files in its working directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** Its working directory, when it must be an existing one. */
  readonly cwd?: string;
  /** The program and its arguments. Default: {@link fixtureEntry} over HTTP. */
  readonly entry?: readonly string[];
}

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A server that is listening. */
export interface ServerProcess extends TestProcess {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly port: number;
  readonly cwd: string;
  /** The lines of its log so far. */
  log(): LogLine[];
}

/** The tokens of {@link TOKENS_JSON}. */
export const TOKEN = {
  ada: 'tok_ada_0123456789',
  bob: 'tok_bob_0123456789',
  expired: 'tok_expired_0123456789',
  disabled: 'tok_disabled_0123456789',
} as const;

/** A token file with one user for each {@link TOKEN}. */
export const TOKENS_JSON = JSON.stringify({
  [TOKEN.ada]: { userId: 'ada', name: 'Ada Lovelace' },
  [TOKEN.bob]: { userId: 'bob', name: 'Bob' },
  [TOKEN.expired]: { userId: 'old', expiresAt: '2020-01-01T00:00:00Z' },
  [TOKEN.disabled]: { userId: 'off', disabled: true },
});

/** Options of a server with authentication on and {@link TOKENS_JSON} as its `tokens.json`; without a limit of calls, which tests would reach. */
export const WITH_TOKENS = {
  env: { AUTH_ENABLED: 'true', CALLS_PER_MINUTE: '0' },
  files: { 'tokens.json': TOKENS_JSON },
} as const satisfies ServerOptions;

/**
 * Arguments for the program `dist/src/main.js` or `dist/src/stdio.js`, with the tools of `lab/fixture/tools.mjs` and these: so the tests do
 * not depend on what a fork offers, or on variables that it requires.
 */
export function fixtureEntry(
  transport: 'http' | 'stdio',
  ...tools: ('wait' | 'explode' | 'outside' | 'lively' | 'late')[]
): readonly string[] {
  return [builtFile('lab/fixture/entry.js'), transport, ...tools];
}

/** Starts the server without waiting for it, on a free port unless `env` names one. */
export async function spawnServer(
  sandbox: Sandbox,
  { env, files = {}, cwd, entry = fixtureEntry('http') }: ServerOptions = {},
): Promise<TestProcess & { readonly cwd: string }> {
  const folder = cwd ?? (await sandbox.folder(files));
  const started = sandbox.spawn({
    args: entry,
    cwd: folder,
    env: { PORT: '0', ...env },
  });
  return { ...started, cwd: folder };
}

/** Starts the server, and waits until its log says that it listens. */
export async function startServer(sandbox: Sandbox, options: ServerOptions = {}): Promise<ServerProcess> {
  const started = await spawnServer(sandbox, options);
  const log = (): LogLine[] => parseLog(started.stderr());
  const url = await waitFor(`listening\n${started.stderr()}`, () => {
    const { exitCode } = started.child;
    if (exitCode !== null) throw new Error(`The server ended with ${exitCode}:\n${started.stderr()}`);
    const line = log().find(({ msg }) => msg === 'listening');
    return line && String(line['url']);
  });
  return { ...started, url, port: Number(new URL(url).port), log };
}

/** The lines of the log among what a server has written to stderr; an incomplete last line is left out. */
export function parseLog(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"level"'))
    .map((line) => JSON.parse(line) as LogLine);
}

/** Waits for a line with this message in the log. */
export async function waitForLog(server: ServerProcess, message: string): Promise<LogLine> {
  return waitFor(`the log line "${message}"`, () => server.log().find(({ msg }) => msg === message));
}
