/**
 * One round of load in a process of its own: when it ends, all its connections are closed, so that the server can be measured
 * in quiet. Reads its task as JSON from stdin, and reports as JSON lines on stdout.
 */
import { text } from 'node:stream/consumers';
import { churn, describe, kill, type Load, neverRead, readSlowly, type SoakUser } from './workers.ts';

/** The task of a round. */
export interface Round {
  readonly url: string;
  readonly users: readonly SoakUser[];
  readonly seconds: number;
}

/** The report of a round, written once a second and at its end. */
export interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

// oxlint-disable-next-line no-unsafe-type-assertion -- written by soak.ts
const { url, users, seconds } = JSON.parse(await text(process.stdin)) as Round;
const counts: Record<string, number> = {};
const problems: string[] = [];
const endMs = Date.now() + seconds * 1000;
const load: Load = {
  url,
  users,
  isOn: () => Date.now() < endMs && problems.length < 3,
  count: (what, times = 1) => void (counts[what] = (counts[what] ?? 0) + times),
};
const report = (): boolean =>
  process.stdout.write(`${JSON.stringify({ counts, problems } satisfies Report)}\n`);

/** Runs a worker; when it fails, records the reason and starts it again. */
async function run(worker: (load: Load) => Promise<void>): Promise<void> {
  while (load.isOn()) await worker(load).catch((error: unknown) => void problems.push(describe(error)));
}

const timer = setInterval(report, 1_000);
await Promise.all([churn, churn, churn, churn, churn, churn, kill, kill, readSlowly, neverRead].map(run));
clearInterval(timer);
report();
process.stdout.write('', () => process.exit(0));
