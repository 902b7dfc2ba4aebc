/**
 * One round of load, as a process of its own: its end closes every connection it had, so that the server can be measured
 * in quiet. Takes its task as JSON on stdin and reports as JSON lines on stdout.
 */
import { text } from 'node:stream/consumers';
import { churn, describe, kill, type Load, neverRead, readSlowly, type SoakUser } from './workers.ts';

/** What a round is to do. */
export interface Round {
  readonly url: string;
  readonly users: readonly SoakUser[];
  readonly seconds: number;
}

/** What a round reports, once a second and at its end. */
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

/** Runs a worker; when it fails, says why and begins it again. */
async function run(worker: (load: Load) => Promise<void>): Promise<void> {
  while (load.isOn()) await worker(load).catch((error: unknown) => void problems.push(describe(error)));
}

const timer = setInterval(report, 1_000);
await Promise.all([churn, churn, churn, churn, churn, churn, kill, kill, readSlowly, neverRead].map(run));
clearInterval(timer);
report();
process.stdout.write('', () => process.exit(0));
