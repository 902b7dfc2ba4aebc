/**
 * A stream that breaks after every few events, in each revision that can resume: every event arrives once and in order, with one process and with
 * three.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { testEach } from '../../support/in-ci.ts';
import { createSandbox } from '../../support/process.ts';
import { eventually, openMcpSession, rpc, send } from '../../support/raw-http.ts';
import { hasRedis, startRedis } from '../../support/redis.ts';
import { type Frame, openStream, type StreamReader } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';
import { createSteppedTool } from '../../support/stepped-tool.ts';

const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25'] as const;

/** The number of progress messages before the answer. */
const STEPS = 11;

/** How many events arrive before each break. */
const CUTS = [2, 1, 3, 5, 11] as const;

const sandbox = createSandbox();
const walk = createSteppedTool();
let calls = 0;
let servers: TestServer[];

/** Starts one process, which keeps the events of streams in memory. */
async function startOne(): Promise<void> {
  servers = [await startTestServer({ tools: [walk.tool] })];
}

/** Starts three processes that share a Redis. */
async function startThree(): Promise<void> {
  const redis = await startRedis(sandbox);
  const env = { SERVER_SECRET: randomBytes(32).toString('base64url'), REDIS_URL: redis.url };
  const starts = [1, 2, 3].map(async () => startTestServer({ env, tools: [walk.tool] }));
  servers = await Promise.all(starts);
}

/** The servers on which streams break. */
const PLACES = [
  ['of one process', startOne],
  ...(hasRedis ? [['of three processes, resumed at the next one each time,', startThree] as const] : []),
] as const;

/** The URL of the process that serves this connection. */
const urlOf = (turn: number): string => `${servers[turn % servers.length]?.url ?? ''}/mcp`;

/** The messages on a stream so far, with their ids. */
const saidBy = ({ frames }: StreamReader): Frame[] =>
  frames.filter(({ data }) => data !== undefined && data !== '');

/** The progress that a message reports, or the text of the answer. */
function meaningOf({ data = '' }: Frame): unknown {
  const { params, result } = JSON.parse(data) as {
    params?: { progress: number };
    result?: { content: { text: string }[] };
  };
  return params?.progress ?? result?.content[0]?.text;
}

/**
 * Runs a call for a client whose stream breaks after every few events; returns the events that it received, how often it connected, and the status
 * after the last one.
 */
async function walkWithCuts(revision: string, every: number) {
  const { headers } = await openMcpSession(urlOf(0).replace('/mcp', ''), ADA, revision);
  const params = { name: 'walk', arguments: {}, _meta: { progressToken: 'p' } };
  const opening = openStream(urlOf(0), { headers, body: rpc(1, 'tools/call', params) });
  const call = await walk.call(calls);
  calls += 1;
  let [walked, turns] = [0, 0];
  /** Sends so many progress messages, whether or not the client is connected. */
  const goOn = async (steps: number): Promise<void> => {
    const count = Math.min(steps, STEPS - walked);
    walked += count;
    await call.step(count);
    if (walked === STEPS) call.finish('there');
  };
  const heard: Frame[] = [];
  const back = () => ({ ...headers, 'Last-Event-ID': heard.at(-1)?.id ?? '' });
  // More than the client reads before the first break: what follows its last event id is sent again.
  await goOn(every + 2);
  for (let stream = await opening; ; stream = await openStream(urlOf(turns), { headers: back() })) {
    const wanted = Math.min(every, STEPS + 1 - heard.length);
    await eventually(() => saidBy(stream).length >= wanted, { what: `${wanted} events on a stream` });
    heard.push(...saidBy(stream).slice(0, wanted));
    stream.close();
    turns += 1;
    if (heard.length > STEPS) break;
    await goOn(every);
  }
  // After the answer there is nothing to resume.
  const { status } = await send(urlOf(turns), { headers: back() });
  return { heard, turns, status };
}

describe.each(PLACES)('a stream %s', (_place, start) => {
  beforeAll(start, 30_000);
  afterAll(async () => {
    walk.finishAll();
    await Promise.all(servers.map(async (server) => server.close()));
    await sandbox.close();
  });

  for (const revision of REVISIONS)
    testEach(CUTS.map((every) => [revision, every] as const))(
      'in %s, broken after every %i events, delivers each event once and in order',
      async (of, every) => {
        const { heard, turns, status } = await walkWithCuts(of, every);

        expect(heard.map(meaningOf)).toEqual([
          ...Array.from({ length: STEPS }, (_, index) => index + 1),
          'there',
        ]);
        expect(new Set(heard.map(({ id }) => id)).size).toBe(STEPS + 1);
        expect([turns, status]).toEqual([Math.ceil((STEPS + 1) / every), 204]);
      },
    );
});
