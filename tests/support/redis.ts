/** Starts a real Redis for a test, on a socket in a folder of its own; tests that need one are skipped without `redis-server`. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe } from '@jest/globals';
import { type Sandbox, type TestProcess, waitFor } from './process.ts';

/** Whether Redis is installed. Debian: `apt-get install redis-server`. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** Describes tests that need a Redis. */
export const describeWithRedis = hasRedis ? describe : describe.skip;

/** Scripts that look at many keys at once: each question on its own starts a program. */
const LASTING = `local found = {}
  for _, key in ipairs(redis.call('keys', ARGV[1])) do
    if redis.call('pttl', key) == -1 then table.insert(found, key) end
  end
  return found`;
const HASHES = `local found = {}
  for _, key in ipairs(redis.call('keys', ARGV[1])) do
    table.insert(found, key .. ' ' .. table.concat(redis.call('hgetall', key), ' '))
  end
  return found`;

/** The rights that a server's user of Redis needs, besides those on its keys and channels. */
export const SERVER_RIGHTS =
  '-@all +@connection -@dangerous +multi +exec +time +publish +subscribe +pubsub|numsub +set +getdel +exists +del +hset +hdel +pexpire +hgetall +eval';

/** The beginnings of the keys and channels that tests use. */
const PREFIXES = ['mcp:', 't:'];

/** The Redis user of a test itself, who may do everything. */
export const TESTER = { username: 'tester', password: 'tester' };

/** A running Redis. Who connects to `url` has no other rights than those that a server needs. */
export interface TestRedis {
  readonly url: string;
  /** Kills it, as a crash does; its data is lost. */
  kill(): Promise<void>;
  /** Starts it again, empty. */
  start(): Promise<void>;
  /** Suspends the process; `goOn` resumes it. */
  hang(): void;
  goOn(): void;
  /** The arguments of a `redis-cli` that may do everything. */
  readonly access: readonly string[];
  /** Runs it with more arguments; returns what it prints. */
  ask(...args: readonly string[]): string;
  /** The keys of this form that never expire. */
  lasting(pattern: string): string[];
  /** What is in the hashes of this form, with their keys. */
  hashes(pattern: string): string;
  /** How often a command has been given since Redis started. */
  given(command: string): number;
  /** What has been refused for want of rights since Redis started. */
  denied(): string;
}

/** Starts a Redis, which ends with the sandbox. */
export async function startRedis(sandbox: Sandbox): Promise<TestRedis> {
  const folder = await sandbox.folder();
  const socket = path.join(folder, 'redis.sock');
  let running: TestProcess | undefined;
  const access = ['-s', socket, '--user', TESTER.username, '--pass', TESTER.password, '--no-auth-warning'];
  const ask = (...args: readonly string[]): string =>
    execFileSync('redis-cli', [...access, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const isUp = (): boolean => {
    try {
      return ask('ping') === 'PONG';
    } catch {
      return false;
    }
  };
  const redis: TestRedis = {
    url: `unix://${socket}`,
    access,
    ask,
    denied: () => ask('acl', 'log'),
    lasting: (pattern) => ask('eval', LASTING, '0', pattern).split('\n').filter(Boolean),
    hashes: (pattern) => ask('eval', HASHES, '0', pattern),
    given: (command) =>
      Number(ask('info', 'commandstats').split(`cmdstat_${command}:calls=`)[1]?.split(',')[0] ?? 0),
    async kill() {
      running?.child.kill('SIGKILL');
      await running?.ended;
    },
    async start() {
      const own = PREFIXES.flatMap((prefix) => [`~${prefix}*`, `&${prefix}*`]);
      const users = [
        ['--user', 'default', 'on', 'nopass', ...own, ...SERVER_RIGHTS.split(' ')],
        ['--user', TESTER.username, 'on', `>${TESTER.password}`, '~*', '&*', '+@all'],
      ].flat();
      const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', ...users];
      running = sandbox.spawn({ command: 'redis-server', args, cwd: folder });
      await waitFor('a Redis that answers', isUp);
    },
    hang: () => void running?.child.kill('SIGSTOP'),
    goOn: () => void running?.child.kill('SIGCONT'),
  };
  await redis.start();
  return redis;
}
