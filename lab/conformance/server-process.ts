/** Starts one of our servers as a process, with authentication on and one token, and stops it. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from './loopback.ts';

/** A server that answers. */
export interface ServerProcess {
  readonly url: URL;
  /** The token of its only user. */
  readonly token: string;
  /** The end of what it has written to stderr. */
  output(): string;
  /** Asks it to stop. Returns what was wrong with the way it stopped; undefined when nothing was. */
  stop(): Promise<string | undefined>;
}

/** The options of {@link startServerProcess}. */
export interface ServerProcessOptions {
  readonly script: string;
  /** An empty directory for its token file. It is also its working directory, so that no `.env` of ours is read. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const MAX_OUTPUT_CHARS = 20_000;

/** The variables that the server inherits. No others, so that settings of the caller's own server have no effect. */
const INHERITED = ['PATH', 'HOME', 'SYSTEMROOT', 'TEMP', 'TMPDIR'];

/**
 * Starts a server on a free loopback port and waits until it is healthy.
 * @throws {Error} with its output, when it does not become healthy
 */
export async function startServerProcess({
  script,
  directory,
  signal,
  settings = {},
}: ServerProcessOptions): Promise<ServerProcess> {
  const token = randomBytes(32).toString('base64url');
  const tokensFile = path.join(directory, 'tokens.json');
  const digest = createHash('sha256').update(token).digest('hex');
  await mkdir(directory, { recursive: true });
  await writeFile(tokensFile, JSON.stringify({ [`sha256:${digest}`]: { userId: 'conformance' } }), {
    mode: 0o600,
  });
  const port = await findFreePort();
  const url = new URL(`http://127.0.0.1:${port}`);

  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env: {
      ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
      PORT: String(port),
      AUTH_ENABLED: 'true',
      TOKENS_FILE: tokensFile,
      CALLS_PER_MINUTE: '0',
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-MAX_OUTPUT_CHARS);
  });
  child.on('error', (error) => (output += error.message));
  // The server must not outlive this process, however it ends.
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise<true>((resolve) => {
    child.once('close', () => {
      process.off('exit', killWithUs);
      resolve(true);
    });
  });

  /** Stops it: with SIGTERM first, since a clean stop is part of the test. */
  async function stop(): Promise<string | undefined> {
    const hadEnded = child.exitCode ?? child.signalCode;
    if (hadEnded !== null) return `had ended before it was stopped (${hadEnded})`;
    child.kill('SIGTERM');
    if (!(await Promise.race([ended, sleep(STOP_TIMEOUT_MS, false, { ref: false })]))) {
      child.kill('SIGKILL');
      await ended;
      return `did not stop within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM`;
    }
    if (child.exitCode === 0) return undefined;
    return `answered SIGTERM with ${child.signalCode ?? `exit code ${child.exitCode}`} instead of exit code 0`;
  }

  try {
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (!(await isHealthy(url, signal))) {
      if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
      if (Date.now() > deadlineMs) throw new Error('it did not answer /health in time');
      await sleep(POLL_MS, undefined, { signal });
    }
  } catch (cause) {
    await stop();
    if (signal.aborted) throw cause;
    throw new Error(`${script} did not start:\n${output}`, { cause });
  }
  return { url, token, output: () => output, stop };
}

/** Whether the server answers `/health`. */
async function isHealthy(url: URL, signal: AbortSignal): Promise<boolean> {
  try {
    const { ok, body } = await fetch(new URL('/health', url), { signal });
    await body?.cancel();
    return ok;
  } catch {
    return false;
  }
}
