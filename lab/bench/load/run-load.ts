/** Runs one measurement: a warm-up that is not counted, then the window that is. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCpuMs } from '../process-stat.ts';
import { percentile } from '../statistics.ts';
import { type Client, type ClientOptions, openClient } from './clients.ts';
import type { LoadJob, LoadResult, ServerAddress } from './job.ts';
import { paceCalls } from './pace-calls.ts';
import { Recorder } from './recorder.ts';

/** Runs a job; rejects when any answer is wrong. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const clients: Client[] = [];
  const recorder = new Recorder();
  try {
    // All at once, since one peer takes a second to open a session.
    const opening = Array.from({ length: job.clients }, async (_, index) => {
      const { workload, tokens } = job;
      clients.push(await openClient({ ...placesOf(job, index), workload, index, tokens }));
    });
    await Promise.all(opening);
    const load =
      job.perSecond === undefined
        ? repeatCalls(clients, recorder)
        : paceCalls(clients, job.perSecond, recorder);
    const measured = measureWindow(job, recorder);
    // A wrong answer ends the measurement at once; otherwise the load stops when the window ends.
    const [window] = await Promise.all([measured, load]);
    const sorted = recorder.latenciesMs.toSorted((a, b) => a - b);
    return {
      ...window,
      calls: sorted.length,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      worstMs: sorted.at(-1) ?? 0,
    };
  } finally {
    recorder.stopped = true;
    for (const client of clients) client.close();
  }
}

/** The processes under load. */
const serversOf = ({ server, fleet }: LoadJob): readonly ServerAddress[] => [
  server,
  ...(fleet?.others ?? []),
];

/** The port at which a client opens its session, and the ports for its messages. */
function placesOf(job: LoadJob, index: number): Pick<ClientOptions, 'port' | 'posts'> {
  const { server, fleet } = job;
  const ports = serversOf(job).map(({ port }) => port);
  if (fleet?.messages === 'away') return { port: server.port, posts: ports.slice(1) };
  const first = index % ports.length;
  if (fleet?.messages === 'home')
    return { port: ports[first] ?? server.port, posts: ports.slice(first, first + 1) };
  // Clients start at different processes, so that they do not all move from one to the next together.
  return { port: ports[first] ?? server.port, posts: [...ports.slice(first), ...ports.slice(0, first)] };
}

/** The CPU time that all processes have used so far. Milliseconds. */
function sumCpuMs(job: LoadJob): number {
  return serversOf(job).reduce((sum, { pid }) => sum + readCpuMs(pid), 0);
}

/** Has every client call again as soon as it has its answer. */
async function repeatCalls(clients: readonly Client[], recorder: Recorder): Promise<void> {
  const repeat = async (client: Client): Promise<void> => {
    while (!recorder.stopped) {
      const startedMs = performance.now();
      await client.call();
      recorder.record(startedMs, performance.now());
    }
  };
  await Promise.all(clients.map(repeat));
}

/** Waits for the warm-up and the window; resolves with the window's length and the CPU time of the server. */
async function measureWindow(
  job: LoadJob,
  recorder: Recorder,
): Promise<Pick<LoadResult, 'seconds' | 'cpuMs'>> {
  const { durationMs } = job;
  await warmUp(job);
  const cpuBeforeMs = sumCpuMs(job);
  const beganMs = performance.now();
  recorder.counting = true;
  await sleep(durationMs);
  recorder.counting = false;
  const cpuMs = sumCpuMs(job) - cpuBeforeMs;
  const seconds = (performance.now() - beganMs) / 1000;
  recorder.stopped = true;
  return { seconds, cpuMs };
}

/** Waits until the processes have used enough CPU time, or three times as long has passed: on a busy machine, time alone does not warm them up. */
async function warmUp(job: LoadJob): Promise<void> {
  const beganMs = performance.now();
  const cpuBeforeMs = sumCpuMs(job);
  const warmMs = job.warmUpMs * serversOf(job).length;
  while (sumCpuMs(job) - cpuBeforeMs < warmMs && performance.now() - beganMs < 3 * warmMs) await sleep(20);
}
