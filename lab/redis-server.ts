/** A `redis-server` of the lab's own, on a socket in a folder of its own, that writes nothing to disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running Redis. */
export interface LabRedis {
  /** The value for REDIS_URL. */
  readonly url: string;
  /** Kills it, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, empty. */
  start(): Promise<void>;
  /** Sends a signal: SIGSTOP makes it hang, SIGCONT makes it go on. */
  signal(name: NodeJS.Signals): void;
}

/** How long a start may take. Milliseconds. */
const START_TIMEOUT_MS = 10_000;

/** Why Redis cannot be started here; undefined when it can. */
export function whyNoRedis(): string | undefined {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'redis-server is not installed (Debian: apt-get install --no-install-recommends redis-server)';
}

/** Starts a Redis, with its socket in a folder. */
export async function startLabRedis(folder: string): Promise<LabRedis> {
  const socket = path.join(folder, 'redis.sock');
  let running: ChildProcess | undefined;
  const redis: LabRedis = {
    url: `unix://${socket}`,
    async kill() {
      const child = running;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    signal: (name) => void running?.kill(name),
    async start() {
      const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'];
      const child = spawn('redis-server', args, { cwd: folder, stdio: 'ignore' });
      running = child;
      const killWithUs = (): boolean => child.kill('SIGKILL');
      process.once('exit', killWithUs);
      child.once('exit', () => process.removeListener('exit', killWithUs));
      for (const startMs = Date.now(); !existsSync(socket) || !(await answers(socket)); await sleep(20))
        if (child.exitCode !== null || Date.now() - startMs > START_TIMEOUT_MS)
          throw new Error('redis-server does not start.');
    },
  };
  await redis.start();
  return redis;
}

/** Whether a connection to a socket can be made. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('error', () => resolve(false));
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
  });
}
