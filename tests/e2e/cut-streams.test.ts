/** Real clients whose streams break during a call: they resume by themselves, and receive everything once. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { MemoryEventStore } from '../../src/sessions/memory-event-store.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT } from '../support/process.ts';
import { eventually, send } from '../support/raw-http.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { type RoundRobin, startRoundRobin } from '../support/round-robin.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';
import { connectStdio } from '../support/stdio-clients.ts';
import { createSteppedTool, type SteppedTool } from '../support/stepped-tool.ts';

let servers: TestServer[] = [];
let balancer: RoundRobin | undefined;
let proxy: CuttingProxy;
let walk: SteppedTool;
let store: MemoryEventStore;
let nowMs: number;
const sandbox = createSandbox();
afterEach(async () => {
  walk.finishAll();
  await sandbox.close();
  await proxy.close();
  balancer?.close();
  balancer = undefined;
  await Promise.all(servers.map(async (server) => server.close()));
});

/** Starts a server, and a proxy in front of it. */
async function start(): Promise<void> {
  walk = createSteppedTool();
  nowMs = 1_000_000;
  store = new MemoryEventStore({ now: () => nowMs });
  servers = [await startTestServer({ tools: [walk.tool], store })];
  proxy = await startCuttingProxy(servers[0]?.url ?? '');
}

/** Starts three processes that share a Redis, a balancer that sends each request to the next, and the proxy in front. */
async function startThree(): Promise<void> {
  walk = createSteppedTool();
  const redis = await startRedis(sandbox);
  const env = { SERVER_SECRET: randomBytes(32).toString('base64url'), REDIS_URL: redis.url };
  servers = await Promise.all(
    Array.from({ length: 3 }, async () => startTestServer({ env, tools: [walk.tool] })),
  );
  for (const { url } of servers)
    await eventually(async () => (await send(`${url}/ready`)).status === 200, {
      what: 'a server to be ready',
    });
  balancer = await startRoundRobin(servers.map(({ url }) => url));
  proxy = await startCuttingProxy(balancer.url);
}

/** Where clients are cut. */
const PLACES = [
  ['before one server', start],
  ...(hasRedis ? [['before three processes over Redis', startThree] as const] : []),
] as const;

/** Every line of every log. */
const lines = () => servers.flatMap((server) => server.lines);

/** A call under way, and how far it has said it is. */
interface Walk {
  readonly answer: Promise<string>;
  readonly progress: readonly number[];
}

/** Connects a client and has it call `walk`. */
type Start = () => Promise<Walk>;

const requestInit = { headers: { Authorization: `Bearer ${ADA}` } };

/** Walks with a client of the SDK's first generation. */
const walkV1: Start = async () => {
  const client = new ClientV1({ name: 'cut-v1', version: '1.0.0' });
  await client.connect(new HttpV1(new URL('/mcp', proxy.url), { requestInit }));
  sandbox.defer(async () => client.close());
  const progress: number[] = [];
  const result = client.callTool({ name: 'walk', arguments: {} }, CallToolResultSchema, {
    onprogress: (step) => progress.push(step.progress),
  });
  return { answer: result.then(textOf), progress };
};

/** Walks with a client of the second. */
const walkV2: Start = async () => {
  const client = new ClientV2(
    { name: 'cut-v2', version: '1.0.0' },
    { versionNegotiation: { mode: 'legacy' } },
  );
  await client.connect(new HttpV2(new URL('/mcp', proxy.url), { requestInit }));
  sandbox.defer(async () => client.close());
  const progress: number[] = [];
  const result = client.callTool(
    { name: 'walk', arguments: {} },
    { onprogress: (step) => progress.push(step.progress) },
  );
  return { answer: result.then(textOf), progress };
};

/** The text of a tool's result. */
function textOf(result: unknown): string {
  return (result as { content: { text: string }[] }).content.map(({ text }) => text).join('');
}

/** Waits until a client has been told of so many steps. */
const untilTold = ({ progress }: Walk, count: number): Promise<void> =>
  eventually(() => progress.length === count, { what: `${count} steps at the client` });

/** How often streams have been taken up again so far. */
const countResumed = (): number => lines().filter(({ msg }) => msg === 'stream resumed').length;

/** Whether somebody has been told that there is nothing more to come back for. */
const hasStopped = (): boolean => lines().some(({ method, status }) => method === 'GET' && status === 204);

const CLIENTS = [
  ['SDK v1', walkV1],
  ['SDK v2', walkV2],
] as const;

describe.each(PLACES)('with connections cut %s,', (_place, startPlace) => {
  describe.each(CLIENTS)('a client of %s', (_name, startWalk) => {
    // Each place and each client once whenever tests run; in CI every pair of them.
    const testIt = (startPlace === start) === (startWalk === walkV1) ? test : testInCi;

    testIt('receives all progress once and in order, and the answer, after two cuts', async () => {
      await startPlace();
      const walking = await startWalk();
      const call = await walk.call();
      await call.step(2);
      await untilTold(walking, 2);

      const cuts = [proxy.cutWhereSent('"progress":2')];
      await call.step(2);
      await untilTold(walking, 4);
      cuts.push(proxy.cutWhereSent('"progress":4'));
      await eventually(() => countResumed() === 2, { what: 'the client to come back' });
      await call.step();
      call.finish('there');

      expect(await walking.answer).toBe('there');
      expect(walking.progress).toEqual([1, 2, 3, 4, 5]);
      expect(cuts).toEqual([1, 1]);
      expect(call.context.signal.aborted).toBe(false);
    });

    testInCi('receives an answer that was written while it was disconnected', async () => {
      await startPlace();
      const walking = await startWalk();
      const call = await walk.call();
      await call.step();
      await untilTold(walking, 1);

      proxy.cutWhereSent('"progress":1');
      call.finish('there');

      expect(await walking.answer).toBe('there');
    });
  });
});

describe.each(CLIENTS)('a client of %s', (_name, startWalk) => {
  const testIt = startWalk === walkV1 ? test : testInCi;

  testIt('reconnects for the answer when a tool pauses the connection', async () => {
    await start();
    const walking = await startWalk();
    const call = await walk.call();

    const hasPaused = call.context.connection.pause(50);
    await eventually(() => countResumed() === 1, { what: 'the client to come back' });
    await call.step();
    call.finish('there');

    expect(hasPaused).toBe(true);
    expect(await walking.answer).toBe('there');
    expect(walking.progress).toEqual([1]);
  });

  testIt('learns at once that its answer is lost, and stops reconnecting', async () => {
    await start();
    const walking = await startWalk();
    const answer = walking.answer.catch((error: unknown) => String(error));
    const call = await walk.call();
    await call.step();
    await untilTold(walking, 1);

    proxy.cutWhereSent('"progress":1');
    call.finish('there');
    await eventually(() => lines().some(({ msg }) => msg === 'tool call'), { what: 'the answer' });
    nowMs += 301_000;
    store.tick();

    expect(await answer).toMatch(/no longer kept/);
    // v1 takes an error for no answer and asks once more; 204 tells it that there is nothing to ask for.
    if (startWalk === walkV1) await eventually(hasStopped, { what: 'the last request' });
  });
});

testInCi.each(PLACES)(
  'mcp-remote with its connection cut %s delivers the answer to its host',
  async (_place, startPlace) => {
    await startPlace();
    const cwd = await sandbox.folder();
    const client = await connectStdio(sandbox, 'v1', {
      args: [
        path.join(ROOT, 'node_modules/mcp-remote/dist/proxy.js'),
        `${proxy.url}/mcp`,
        '--header',
        'Authorization:${AUTH_HEADER}',
      ],
      cwd,
      env: { MCP_REMOTE_CONFIG_DIR: path.join(cwd, 'mcp-auth'), AUTH_HEADER: `Bearer ${ADA}` },
    });
    const answer = client.call('walk');
    const call = await walk.call();
    // Without anything to say the call is a stream after a second.
    await eventually(() => proxy.cutWhereSent('id: p.') === 1, { what: 'something to cut' });
    call.finish('there');

    expect(await answer).toEqual({ text: 'there', isError: false });
    expect(countResumed()).toBe(1);
  },
);
