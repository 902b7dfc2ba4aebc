/** Runs the servers under test as processes: starts them, waits for an answer, asks for the heap, stops them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned } from './cores.ts';
import type { HeapAnswer } from './heap-probe.ts';
import { HttpConnection } from './load/http-connection.ts';
import type { ServerAddress } from './load/job.ts';
import { createSpeller } from './load/requests.ts';
import { tokenOf } from './tokens.ts';

/** How to start a server. */
export interface ServerOptions {
  readonly name: string;
  readonly script: string;
  /** The path of the Node that runs it. Default: this one. */
  readonly node?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly core: number | undefined;
  /** Whether it can be asked for its heap. */
  readonly withHeapProbe?: boolean;
  /** The file for its CPU profile. With a profile, the server is ended by SIGTERM, so that it can write the file. */
  readonly profileFile?: string | undefined;
  /** Whether to show its log. */
  readonly verbose?: boolean;
}

/** A server that answers. */
export interface RunningServer extends ServerAddress {
  /** The time from the start of the process to its first answer. Milliseconds. */
  readonly startMs: number;
  /** The size of the JS heap in use after a garbage collection. Bytes. */
  heapBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** How long a start may take. Milliseconds. */
const START_TIMEOUT_MS = 20_000;

/** Starts a server on a free loopback port, and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryToStart(options);
    } catch (error) {
      // Another process may take the free port before the server does; hardly three times in a row.
      if (attempt === 3) throw error;
    }
  }
}

/** Starts a server on a port that is free now. */
async function tryToStart(options: ServerOptions): Promise<RunningServer> {
  const port = await findFreePort();
  const startedMs = performance.now();
  const child = spawnServer(options, port);
  try {
    await waitForAnswer(child, port, options.name);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    port,
    pid: child.pid ?? 0,
    startMs: performance.now() - startedMs,
    async heapBytes() {
      child.send({});
      // oxlint-disable-next-line no-unsafe-type-assertion -- nobody but heap-probe.ts sends on this channel
      const [answer] = (await once(child, 'message')) as [HeapAnswer];
      return answer.heapBytes;
    },
    stop: () => stop(child, options.profileFile === undefined ? 'SIGKILL' : 'SIGTERM'),
  };
}

const PROBE = new URL('./heap-probe.js', import.meta.url).href;

/** Starts the process with a bare environment. */
function spawnServer(options: ServerOptions, port: number): ChildProcess {
  const { script, node = process.execPath, env, directory, core, profileFile } = options;
  const { withHeapProbe = false, verbose = false } = options;
  const probe = withHeapProbe ? ['--expose-gc', '--import', PROBE] : [];
  const [program = '', ...args] = pinned(core, [node, ...probe, ...profilerOptions(profileFile), script]);
  const child = spawn(program, args, {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: [
      'ignore',
      verbose ? 2 : 'ignore',
      verbose ? 2 : 'ignore',
      ...(withHeapProbe ? ['ipc' as const] : []),
    ],
  });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.removeListener('exit', killWithUs));
  return child;
}

/** The options with which V8 writes a profile when the process ends. */
function profilerOptions(file: string | undefined): string[] {
  if (file === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${path.dirname(file)}`, `--cpu-prof-name=${path.basename(file)}`];
}

/** Finds a port on which nothing listens. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('No free port.');
  return address.port;
}

/** Tries with very short pauses until the server answers. */
async function waitForAnswer(child: ChildProcess, port: number, name: string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!(await isListening(port))) {
    if (child.exitCode !== null)
      throw new Error(`${name} ended with ${child.exitCode} instead of listening.`);
    if (performance.now() > deadlineMs) throw new Error(`${name} does not listen.`);
    await sleep(2);
  }
  const connection = await HttpConnection.open(port);
  // Peers do not have this path; any answer is enough.
  await connection.request(createSpeller({ method: 'GET', path: '/health' })(tokenOf(0)));
  connection.close();
  if (child.exitCode !== null) throw new Error(`${name} has ended; somebody else listens on its port.`);
}

/** Whether a connection can be made to the port. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Ends the process with a signal. SIGKILL, unless it must write a profile: the shutdown of servers is not measured. */
async function stop(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
