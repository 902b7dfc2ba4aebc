/** The compiled server as a child process with users of its own. Its log is watched, and it ends with this process. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogWatch, type LogWatch } from './log-watch.ts';

/** A server that is listening. */
export interface ServerChild {
  readonly url: URL;
  readonly pid: number;
  readonly log: LogWatch;
  /** The beginning of its log. */
  logStart(): string;
  /** The path of its token file. */
  readonly tokensFile: string;
  /** Everything it has written to stdout: nothing, unless something was preloaded. */
  stdout(): string;
  /** How it ended; undefined while it runs. */
  ending(): string | undefined;
  /** Resident memory in MiB and the number of open handles, from /proc; undefined where there is no /proc. */
  measure(): Promise<{ readonly rssMb: number; readonly handles: number } | undefined>;
  signal(name: NodeJS.Signals): void;
  /** Stops it. Returns what was wrong with the way it ended; undefined when nothing was. */
  stop(): Promise<string | undefined>;
}

/** The server to start. */
export interface ChildOptions {
  /** The path of the compiled entry. */
  readonly script: string;
  /** The token file: users by token. */
  readonly tokens: Readonly<Record<string, object>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for Node itself. */
  readonly nodeArgs?: readonly string[];
  /** Matches errors that may appear in its log. */
  readonly allowedErrors?: RegExp;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;

/** The variables that the child inherits. No others, so that settings of the caller's own server have no effect. */
const INHERITED = ['PATH', 'HOME', 'SYSTEMROOT', 'TEMP', 'TMPDIR'];

/** Makes a random token. */
export function makeToken(): string {
  return `tok_${randomBytes(24).toString('base64url')}`;
}

/**
 * Starts the server on a free port and waits until it listens.
 * @throws {Error} with its output, when it does not start
 */
export async function startServerChild({
  script,
  tokens,
  env = {},
  nodeArgs = [],
  allowedErrors,
}: ChildOptions): Promise<ServerChild> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'mcp-attack-'));
  const tokensFile = path.join(directory, 'tokens.json');
  await writeFile(tokensFile, tokenFileText(tokens), { mode: 0o600 });
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = spawn(process.execPath, [...nodeArgs, script], {
    cwd: directory,
    env: {
      ...Object.fromEntries(inherited),
      PORT: '0',
      AUTH_ENABLED: 'true',
      TOKENS_FILE: tokensFile,
      LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const log = createLogWatch(Object.keys(tokens), allowedErrors);
  const output = { stdout: '', start: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (output.start.length < 20_000) output.start += text;
    log.push(text);
  });
  const closed = once(child, 'close').finally(() => process.off('exit', killWithUs));
  const ending = (): string | undefined =>
    child.exitCode === null && child.signalCode === null
      ? undefined
      : (child.signalCode ?? `exit code ${child.exitCode}`);

  const url = await waitForUrl(() => output.start, ending).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    url,
    pid: child.pid ?? 0,
    log,
    logStart: () => output.start,
    tokensFile,
    stdout: () => output.stdout,
    ending,
    measure: () => measureProcess(child.pid ?? 0),
    signal: (name) => void child.kill(name),
    async stop() {
      const before = ending();
      child.kill('SIGTERM');
      const stopped = await Promise.race([
        closed.then(() => true),
        sleep(STOP_TIMEOUT_MS, false, { ref: false }),
      ]);
      if (!stopped) child.kill('SIGKILL');
      await closed;
      await rm(directory, { recursive: true, force: true });
      if (before !== undefined) return `the server had ended before it was stopped (${before})`;
      if (!stopped) return `the server did not stop within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM`;
      return child.exitCode === 0 ? undefined : `the server answered SIGTERM with ${ending()}`;
    },
  };
}

/** The text of a token file that holds digests only. */
export function tokenFileText(tokens: Readonly<Record<string, object>>): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(tokens).map(([token, entry]) => [
        `sha256:${createHash('sha256').update(token).digest('hex')}`,
        entry,
      ]),
    ),
  );
}

/** Waits until the log says where the server listens. */
async function waitForUrl(output: () => string, ending: () => string | undefined): Promise<URL> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const url = /"url":"(http[^"]+)"/.exec(output())?.[1];
    if (url !== undefined) return new URL(url);
    if (ending() !== undefined || Date.now() > deadlineMs)
      throw new Error(`The server did not start:\n${output()}`);
    await sleep(20);
  }
}

/** Measures a process by /proc; undefined when that cannot be read. */
async function measureProcess(pid: number) {
  try {
    const [status, handles] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, handles: handles.length };
  } catch {
    return undefined;
  }
}
