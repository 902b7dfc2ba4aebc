/** Soaks several processes as one server: calls of every kind through a balancer, while processes are killed and Redis is restarted. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../fuzz/random.ts';
import { makeToken } from '../../fuzz/server-child.ts';
import { startLabRedis } from '../../redis-server.ts';
import { describe, type SoakUser } from '../workers.ts';
import { startBalancer } from './balancer.ts';
import { Chronicle } from './chronicle.ts';
import { callInSteps, callOverSse, callPlainly, type Shift } from './promises.ts';
import { createTalk, type Talk } from './talk.ts';
import { startFleet } from './troubles.ts';

/** The options of a soak. */
export interface FleetSoak {
  readonly instances: number;
  readonly seconds: number;
  /** The same seed draws the same troubles and calls; which call meets which trouble depends on the machine. */
  readonly seed: number;
  /** The path of the compiled server. */
  readonly script?: string;
  readonly onProgress?: (line: string) => void;
}

/** The result. */
export interface FleetSummary {
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** The work of one worker. */
type Work = (talk: Talk, shift: Shift) => Promise<void>;

const SCRIPT = fileURLToPath(new URL('../../fixture/with-steps.js', import.meta.url));

/** The shortest and the longest pause before something happens. Milliseconds. */
const QUIET_MS = [1_500, 2_500] as const;

/** Runs the soak. */
export async function soakFleet({
  instances,
  seconds,
  seed,
  script = SCRIPT,
  onProgress,
}: FleetSoak): Promise<FleetSummary> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mcp-soak-'));
  const redis = await startLabRedis(folder);
  const users = ['ada', 'bob', 'cleo'].map((userId): SoakUser => ({
    userId,
    name: userId,
    token: makeToken(),
  }));
  const chronicle = new Chronicle();
  const fate = createRandom(seed, 'fate');
  const fleet = await startFleet({
    size: instances,
    chronicle,
    random: fate,
    redis,
    script,
    tokens: Object.fromEntries(users.map(({ token, ...entry }) => [token, entry])),
    env: {
      SERVER_SECRET: randomBytes(32).toString('base64url'),
      REDIS_URL: redis.url,
      CALLS_PER_MINUTE: '0',
      LOG_LEVEL: 'info',
    },
  });
  const balancer = await startBalancer(fleet.urls);
  const counts: Record<string, number> = {};
  const problems: string[] = [];
  const endMs = performance.now() + seconds * 1000;
  const isOn = (): boolean => performance.now() < endMs && problems.length < 5;
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
  const shiftOf = (worker: string): Shift => ({
    isOn,
    chronicle,
    random: createRandom(seed, worker),
    count,
  });
  /** Starts a worker again when its connections break, and records promises that were not kept. */
  const employ = async (work: Work, user: SoakUser, index: number): Promise<void> => {
    const shift = shiftOf(`${user.userId} ${index}`);
    while (isOn()) {
      const startMs = performance.now();
      await work(createTalk(balancer.url, user), shift).catch((error: unknown) => {
        if (error instanceof TypeError && chronicle.hadTrouble(startMs)) shift.count('connections broken');
        else
          problems.push(`${work.name} of ${user.userId}: ${describe(error)} [before: ${chronicle.tell()}]`);
      });
    }
  };
  const workers = users.flatMap((user) =>
    [callPlainly, callPlainly, callOverSse, callOverSse, callInSteps, callInSteps, callInSteps].map(
      async (work, index) => employ(work, user, index),
    ),
  );
  while (isOn()) {
    await sleep(Math.min(fate.int(...QUIET_MS), Math.max(0, endMs - performance.now())));
    if (isOn()) await fleet.trouble().then(count, (error: unknown) => problems.push(describe(error)));
    onProgress?.(
      Object.entries(counts)
        .map(([what, times]) => `${times} ${what}`)
        .join(', '),
    );
  }
  await Promise.all(workers);
  balancer.close();
  problems.push(...(await fleet.stop()));
  await redis.kill();
  await rm(folder, { recursive: true, force: true });
  return { counts, problems };
}
