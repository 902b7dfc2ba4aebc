/** A soak of several processes as one server: calls of every kind through a balancer, while processes are killed and Redis is restarted. */
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

/** What to run. */
export interface FleetSoak {
  readonly instances: number;
  readonly seconds: number;
  /** The same seed draws the same troubles and calls; what meets what is up to the machine. */
  readonly seed: number;
  /** The compiled server. */
  readonly script?: string;
  readonly onProgress?: (line: string) => void;
}

/** What came of it. */
export interface FleetSummary {
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** What a worker does. */
type Work = (talk: Talk, shift: Shift) => Promise<void>;

const SCRIPT = fileURLToPath(new URL('../../fixture/with-steps.js', import.meta.url));

/** The pause before something happens. Milliseconds. */
const QUIET_MS = [1_500, 2_500] as const;

/** Runs it. */
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
  /** Has a worker begin anew when its connections break, and tells what was promised and not kept. */
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
