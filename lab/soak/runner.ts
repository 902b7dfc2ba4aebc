/** Runs rounds of load against a server, and measures the server in the quiet between them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServerChild } from '../fuzz/server-child.ts';
import { findGrowth, type QuietPoint } from './growth.ts';
import type { HeapReport } from './heap-signal.ts';
import type { Report, Round } from './load.ts';
import { IDLE_SESSION_SECONDS } from './idle.ts';
import { editTokens } from './token-edits.ts';
import { describe, type SoakUser } from './workers.ts';

/** The options of a soak. */
export interface SoakOptions {
  readonly server: ServerChild;
  readonly users: readonly SoakUser[];
  readonly rounds: number;
  readonly secondsPerRound: number;
  /** The address that the load uses. Default: the server's own; a test may put something in between. */
  readonly url?: string;
  /** The path of the compiled `load.js`. */
  readonly loadScript?: string;
  readonly onProgress?: (line: string) => void;
}

/** The result. */
export interface SoakSummary {
  readonly counts: Readonly<Record<string, number>>;
  readonly points: readonly QuietPoint[];
  readonly problems: readonly string[];
}

const LOAD = fileURLToPath(new URL('load.js', import.meta.url));

/** How long connections may take to close after a round. Milliseconds. */
const SETTLE_MS = 15_000;

/** Runs the soak. Stops after the first round with a problem. */
export async function runSoak(options: SoakOptions): Promise<SoakSummary> {
  const { server, rounds, onProgress } = options;
  const counts: Record<string, number> = {};
  const problems: string[] = [];
  const idle = await server.measure();
  const points: QuietPoint[] = [];
  for (let round = 1; round <= rounds && problems.length === 0; round += 1) {
    const report = await runRound(options, (soFar) =>
      onProgress?.(`round ${round} of ${rounds}: ${describeCounts(soFar)}`),
    );
    for (const [what, times] of Object.entries(report.counts)) counts[what] = (counts[what] ?? 0) + times;
    problems.push(...report.problems);
    const point = await measureQuiet(server, idle?.handles);
    points.push(point);
    onProgress?.(`round ${round} of ${rounds} is over: ${describePoint(point)}`);
    const ending = server.ending();
    if (ending !== undefined) problems.push(`the server has ended: ${ending}`);
    problems.push(...server.log.problems);
  }
  return { counts, points, problems: [...problems, ...findGrowth(points)] };
}

/** Runs one round: a process of load, and edits of the token file at the same time. */
async function runRound(options: SoakOptions, onReport: (counts: Report['counts']) => void): Promise<Report> {
  const { server, users, secondsPerRound: seconds, url = server.url.href, loadScript = LOAD } = options;
  const child = spawn(process.execPath, [loadScript], { stdio: ['pipe', 'pipe', 'inherit'] });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.stdin.end(JSON.stringify({ url, users, seconds } satisfies Round));
  let last: Report = { counts: {}, problems: [] };
  createInterface({ input: child.stdout }).on('line', (line) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- written by load.ts
    last = JSON.parse(line) as Report;
    onReport(last.counts);
  });
  const closed = once(child, 'close');
  const isOver = { value: false };
  const edits = editWhile(() => !isOver.value, server, users);
  // The workers have timeouts of their own; a load that still does not end is killed, which counts as a problem.
  const watchdog = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + 60_000);
  await closed;
  clearTimeout(watchdog);
  isOver.value = true;
  process.off('exit', killWithUs);
  const edited = await edits;
  const ended = child.exitCode === 0 ? [] : [`the load ended with ${child.signalCode ?? child.exitCode}`];
  return {
    counts: { ...last.counts, 'token edits': edited.edits },
    problems: [...last.problems, ...edited.problems, ...ended],
  };
}

/** Edits tokens repeatedly while the round goes on. */
async function editWhile(goesOn: () => boolean, server: ServerChild, users: readonly SoakUser[]) {
  let edits = 0;
  try {
    for (; goesOn(); edits += 1) {
      await editTokens(server, users);
      await sleep(300);
    }
  } catch (error) {
    return { edits, problems: [describe(error)] };
  }
  return { edits, problems: [] };
}

/** Waits until nothing is connected, collects garbage, and measures. */
async function measureQuiet(server: ServerChild, idleHandles: number | undefined): Promise<QuietPoint> {
  const deadlineMs = Date.now() + SETTLE_MS;
  let measured = await server.measure();
  while (measured !== undefined && measured.handles > (idleHandles ?? 0) && Date.now() < deadlineMs) {
    await sleep(100);
    measured = await server.measure();
  }
  // Sessions that clients left without ending them end after the idle time.
  await sleep(IDLE_SESSION_SECONDS * 1000 + 1_000);
  const lines = server.stdout().split('\n').length;
  server.signal('SIGUSR2');
  while (server.stdout().split('\n').length === lines && server.ending() === undefined) await sleep(20);
  const line = server.stdout().trim().split('\n').at(-1) ?? '';
  // oxlint-disable-next-line no-unsafe-type-assertion -- written by heap-signal.ts
  const report = JSON.parse(line === '' ? '{"heapMb":0}' : line) as HeapReport;
  measured = await server.measure();
  return { heapMb: report.heapMb, rssMb: measured?.rssMb, handles: measured?.handles };
}

/** Formats counts for people. */
export function describeCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, times]) => `${times} ${what}`)
    .join(', ');
}

/** Formats a measurement for people. */
export function describePoint({ heapMb, rssMb = 0, handles = 0 }: QuietPoint): string {
  return `heap ${heapMb.toFixed(1)} MB, resident ${rssMb.toFixed(0)} MB, ${handles} handles`;
}
