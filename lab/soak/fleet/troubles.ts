/** The processes of one server, and the troubles they meet: one is killed and another started, Redis is restarted empty, or hangs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import { type ServerChild, startServerChild } from '../../fuzz/server-child.ts';
import type { LabRedis } from '../../redis-server.ts';
import type { Chronicle } from './chronicle.ts';

/** The processes. */
export interface Fleet {
  /** The addresses of the processes. */
  urls(): readonly URL[];
  /** Causes the next trouble; resolves to its name. */
  trouble(): Promise<string>;
  /** Stops all processes; resolves to the problems found. */
  stop(): Promise<string[]>;
}

/** The options of a fleet. */
export interface FleetOptions {
  readonly size: number;
  readonly redis: LabRedis;
  readonly script: string;
  readonly tokens: Readonly<Record<string, object>>;
  readonly env: Readonly<Record<string, string>>;
  /** Where events are recorded. */
  readonly chronicle: Chronicle;
  readonly random: Random;
}

/** How long Redis hangs: long enough that some waiting calls time out. Milliseconds. */
const HANG_MS = 2_500;

/** Starts the processes, and waits until all are ready. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { size, redis, script, tokens, env, chronicle, random } = options;
  const start = async (): Promise<ServerChild> => {
    const server = await startServerChild({ script, tokens, env });
    await untilReady(server.url);
    return server;
  };
  const servers = await Promise.all(Array.from({ length: size }, start));
  const problems: string[] = [];
  let turn = 0;
  const kill = async (): Promise<string> => {
    const [killed] = servers.splice(random.int(0, size - 1), 1);
    chronicle.note('an instance is killed');
    killed?.signal('SIGKILL');
    problems.push(...(killed?.log.problems ?? []));
    await killed?.stop();
    servers.push(await start());
    return 'instances killed';
  };
  const restart = async (): Promise<string> => {
    chronicle.note('Redis is killed');
    await redis.kill();
    await sleep(random.int(0, 200));
    chronicle.note('Redis starts');
    await redis.start();
    return 'Redis restarts';
  };
  const hang = async (): Promise<string> => {
    chronicle.note('Redis hangs');
    redis.signal('SIGSTOP');
    await sleep(HANG_MS);
    chronicle.note('Redis goes on');
    redis.signal('SIGCONT');
    return 'Redis hangs';
  };
  const troubles = [kill, restart, kill, hang];
  return {
    urls: () => servers.map(({ url }) => url),
    async trouble() {
      const what = await troubles[turn % troubles.length]?.();
      turn += 1;
      return what ?? '';
    },
    async stop() {
      const endings = await Promise.all(servers.map(async ({ stop }) => stop()));
      for (const { log } of servers) problems.push(...log.problems);
      return [...problems, ...endings.filter((ending) => ending !== undefined)];
    },
  };
}

/** How long a process may take to join the others. Milliseconds. */
const READY_TIMEOUT_MS = 20_000;

/** Waits until a process is ready, so that it has joined the others. */
async function untilReady(url: URL): Promise<void> {
  for (const startMs = Date.now(); ; await sleep(20)) {
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(new URL('/ready', url), { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    if (Date.now() - startMs > READY_TIMEOUT_MS) throw new Error('A process does not join the others.');
  }
}
