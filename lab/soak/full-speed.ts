/**
 * One round at full speed, instead of `load.ts`: the benchmark's clients open and end sessions and call tools over every transport,
 * each again as soon as it has its answer, which is checked. Takes the same input as `load.ts`, and reports in the same form.
 */
import { text } from 'node:stream/consumers';
import { openClient } from '../bench/load/clients.ts';
import type { Workload } from '../bench/load/job.ts';
import { mayHaveBeenIdle } from './idle.ts';
import type { Report, Round } from './load.ts';
import { describe } from './workers.ts';

/** The workloads, and the name under which each is counted. */
const WORKLOADS: readonly (readonly [counted: string, workload: Workload])[] = [
  ['sessions', { kind: 'churn', transport: 'streamable' }],
  ['sessions', { kind: 'churn', transport: 'sse' }],
  ['calls', { kind: 'call', transport: 'streamable' }],
  ['calls', { kind: 'call', transport: 'sse' }],
  ['calls', { kind: 'call', transport: 'stateless' }],
];

/** How many clients run each workload at once. */
const CLIENTS = 8;

// oxlint-disable-next-line no-unsafe-type-assertion -- written by runner.ts
const { url, users, seconds } = JSON.parse(await text(process.stdin)) as Round;
const port = Number(new URL(url).port);
const counts: Record<string, number> = {};
const problems: string[] = [];
const endMs = Date.now() + seconds * 1000;

/** Repeats a workload until the round is over, or something was wrong. */
async function repeat([counted, workload]: (typeof WORKLOADS)[number], index: number): Promise<void> {
  const token = users[index % users.length]?.token ?? '';
  const tokens = { count: 1, step: 1, text: token };
  while (goesOn()) {
    // When the last answered request was sent.
    let lastMs = performance.now();
    const client = await openClient({ port, posts: [port], workload, index, tokens });
    try {
      while (goesOn()) {
        const askedMs = performance.now();
        await client.call();
        lastMs = askedMs;
        counts[counted] = (counts[counted] ?? 0) + 1;
      }
    } catch (error) {
      const words = `${workload.kind}: ${describe(error)}`;
      // A client that was kept from running for so long starts again, as real clients do.
      if (!mayHaveBeenIdle(words, performance.now() - lastMs)) problems.push(words);
    } finally {
      client.close();
    }
  }
}

/** Whether the round goes on. */
function goesOn(): boolean {
  return Date.now() < endMs && problems.length === 0;
}

const report = (): boolean =>
  process.stdout.write(`${JSON.stringify({ counts, problems } satisfies Report)}\n`);
const timer = setInterval(report, 1_000);
await Promise.all(
  WORKLOADS.flatMap((work) =>
    Array.from({ length: CLIENTS }, async (_, index) =>
      repeat(work, index).catch((error: unknown) => problems.push(describe(error))),
    ),
  ),
);
clearInterval(timer);
report();
// Open connections end with the process.
process.stdout.write('', () => process.exit(0));
