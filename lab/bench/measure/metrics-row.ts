/** The rows about counting: what `/metrics` and the call limit add to a call, and what a scrape does to the calls at the same time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createUserContext } from '../../../src/auth/user.ts';
import { countCalls } from '../../../src/http/metrics/call-counts.ts';
import { CallLimit } from '../../../src/mcp/call-limit.ts';
import { CallRecords } from '../../../src/mcp/call-records.ts';
import type { Caller } from '../../../src/mcp/caller.ts';
import { type Contestant, type Lab, startTarget, takeTurns } from '../lab.ts';
import { requireStatus } from '../load/answers.ts';
import { HttpConnection } from '../load/http-connection.ts';
import { createSpeller } from '../load/requests.ts';
import type { Figures, Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { percentile } from '../statistics.ts';
import { OURS, type Target } from '../targets.ts';
import { ONE_TOKEN } from '../tokens.ts';

/** The numbers of users and tools in both rows. */
export const [USERS, TOOLS] = [1_000, 50] as const;

/** Measured alone and in this process: as a part of a whole call it would be lost in the noise. */
const COUNTED_ROW: Row = {
  name: 'metrics-call',
  title: `what /metrics and the call limit take of a call, ${USERS.toLocaleString('en')} users, ${TOOLS} tools`,
  metric: 'cpuMicros',
  measure: (lab) => takeTurns(lab, COUNTERS, async ({ run }) => measureAlone(run, lab.settings.durationMs)),
};

/** A server with as many counts, which is scraped far more often than by Prometheus, and not scraped at all. */
const SCRAPE_ROW: Row = {
  name: 'metrics-scrape',
  title: `tools/call at 200/s while ${USERS.toLocaleString('en')} users and ${TOOLS} tools are scraped`,
  metric: 'worstMs',
  measure: measureScrapes,
};

export const METRICS_ROWS: readonly Row[] = [COUNTED_ROW, SCRAPE_ROW];

/** The names of users and tools. */
export const userOf = (index: number): string => `user${index % USERS}`;
export const toolOf = (index: number): string => `tool_${index % TOOLS}`;

const CALLERS: readonly Caller[] = Array.from({ length: USERS }, (_, index) => {
  const user = createUserContext({ userId: userOf(index) });
  return { user, grant: { user, tokenId: 'bench' }, transport: 'streamable-http', requestId: 'bench' };
});

/** A counter, or another thing that is done for each call. */
interface CountingContestant extends Contestant {
  /** Starts it. `each` of the result is called for each call, with the number of the call. */
  run(): { each(index: number, caller: Caller): void; end(): void };
}

/** The log is off, so that a record of each call is made for `/metrics` only. */
const COUNTERS: readonly CountingContestant[] = [
  { name: 'told to nobody', kind: 'variant', run: () => tellCalls() },
  { name: '/metrics', kind: 'variant', run: () => tellCalls(countCalls({ byUser: false })) },
  { name: '/metrics, METRICS_USERS', kind: 'variant', run: () => tellCalls(countCalls({ byUser: true })) },
  {
    name: 'the limit',
    kind: 'variant',
    run() {
      const limit = new CallLimit({ perMinute: 1e9 });
      return {
        each(_index, { grant }) {
          limit.arrive(grant, 1);
          limit.take(grant);
        },
        end: () => undefined,
      };
    },
  },
];

/** No call is cancelled. */
const isCancelled = (): boolean => false;

/** Publishes calls as the server does. */
function tellCalls(counts?: ReturnType<typeof countCalls>): ReturnType<CountingContestant['run']> {
  const records = new CallRecords(pino({ enabled: false }));
  return {
    each: (index, caller) =>
      records.follow(
        { kind: 'tool', name: toolOf(index), caller, protocolVersion: '2025-11-25', isCancelled },
        (note) => note('ok'),
      ),
    end: () => counts?.close(),
  };
}

/** How many calls are made between two looks at the clock. */
const BATCH = 10_000;

/** The CPU time of each call. Half of the duration is the warm-up, and the other half counts. */
function measureAlone(run: CountingContestant['run'], durationMs: number): Figures {
  const { each, end } = run();
  const repeat = (untilMs: number): number => {
    let calls = 0;
    while (performance.now() < untilMs)
      for (const last = calls + BATCH; calls < last; calls += 1) {
        const caller = CALLERS[calls % USERS];
        if (caller !== undefined) each(calls, caller);
      }
    return calls;
  };
  repeat(performance.now() + durationMs / 2);
  const before = process.cpuUsage();
  const calls = repeat(performance.now() + durationMs / 2);
  const { user, system } = process.cpuUsage(before);
  end();
  return { cpuMicros: (user + system) / calls };
}

const TOKEN = 'scrape_0123456789abcdef';

/** This server, with counts as if every user had called every tool. */
const COUNTING: Target = {
  ...OURS,
  name: 'counting',
  script: fileURLToPath(new URL('../counting-server.js', import.meta.url)),
  env: { ...OURS.env, METRICS_TOKEN: TOKEN, METRICS_USERS: 'true' },
};

const PER_SECOND = 200;
const CLIENTS = 32;
const SCRAPE_EVERY_MS = 100;

/** Measures calls at a fixed rate, with scrapes at the same time and without. */
async function measureScrapes(lab: Lab): Promise<Series[]> {
  const contestants = [
    { name: 'while scraped', kind: 'variant', isScraped: true },
    { name: 'left alone', kind: 'variant', isScraped: false },
  ] as const;
  return takeTurns(lab, contestants, async ({ isScraped }) => {
    const { port, pid, stop } = await startTarget(lab, COUNTING);
    try {
      const load = lab.generator.load({
        server: { port, pid },
        workload: { kind: 'call', transport: 'streamable' },
        clients: CLIENTS,
        tokens: ONE_TOKEN,
        warmUpMs: lab.settings.warmUpMs,
        durationMs: lab.settings.pacedMs,
        perSecond: PER_SECOND,
      });
      const scrapes = isScraped ? await scrapeUntil(load, port) : [];
      const { p99Ms, worstMs } = await load;
      return { worstMs, p99Ms, ...(isScraped && { scrapeMs: percentile(scrapes, 0.5) }) };
    } finally {
      await stop();
    }
  });
}

/** Scrapes repeatedly until a promise settles. Returns how long each scrape took, sorted. Milliseconds. */
async function scrapeUntil(over: Promise<unknown>, port: number): Promise<readonly number[]> {
  const end = new AbortController();
  const noteEnd = (): void => end.abort();
  over.then(noteEnd, noteEnd);
  const connection = await HttpConnection.open(port);
  const request = createSpeller({ method: 'GET', path: '/metrics' })(TOKEN);
  const tookMs: number[] = [];
  while (!end.signal.aborted) {
    const beganMs = performance.now();
    requireStatus(await connection.request(request), [200]);
    tookMs.push(performance.now() - beganMs);
    await sleep(SCRAPE_EVERY_MS);
  }
  connection.close();
  return tookMs.toSorted((a, b) => a - b);
}
