/** What clients set in their sessions, over a real Redis: every process knows it, and one that cannot learn it does not serve the session. */
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Feature } from '../../../src/mcp/feature.ts';
import { createSandbox, waitFor } from '../../support/process.ts';
import {
  type Answer,
  eventually,
  initialize,
  openMcpSession,
  requestInit,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { openRedisWay } from '../../support/redis-way.ts';
import { openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const SECRET = randomBytes(32).toString('base64url');
const sandbox = createSandbox();
let redis: TestRedis;
const servers: TestServer[] = [];

/** A feature with everything that a client can set, and a function that reports a changed resource. */
function createSettable() {
  const updated: ((uri: string) => void)[] = [];
  const feature: Feature = {
    name: 'settable',
    options: { capabilities: { logging: {}, resources: { subscribe: true } } },
    register(server, { changes }) {
      updated.push((uri) => changes.resourceUpdated(uri));
      server.registerTool('shout', { description: 'Says something at two levels.' }, async (context) => {
        await context.mcpReq.log('info', 'quiet');
        await context.mcpReq.log('error', 'loud');
        return { content: [{ type: 'text', text: 'said' }] };
      });
    },
  };
  return { feature, update: (uri: string) => updated[0]?.(uri) };
}

/** Starts a process and waits until it is ready. */
async function start(feature: Feature, url = redis.url, others = {}): Promise<TestServer> {
  const env = { SERVER_SECRET: SECRET, REDIS_URL: url, ...others };
  const server = await startTestServer({ env, features: [feature] });
  servers.push(server);
  await waitFor('a server that is ready', async () => (await send(`${server.url}/ready`)).status === 200);
  return server;
}

/** Sends a request for a session to a process. */
const ask = ({ url }: TestServer, id: string, body: object): Promise<Answer> =>
  send(`${url}/mcp`, { token: ADA, headers: { 'Mcp-Session-Id': id }, body });

/** The log messages that a process sends at the level of the session. */
async function heardFrom({ url }: TestServer, headers: Readonly<Record<string, string>>): Promise<unknown[]> {
  const stream = await openStream(`${url}/mcp`, {
    headers,
    body: rpc('shout', 'tools/call', { name: 'shout', arguments: {} }),
  });
  await stream.over();
  return stream.messages().flatMap((message) => {
    const { params } = message as { params?: { data: unknown } };
    return params === undefined ? [] : [params.data];
  });
}

/** The keys of the records in Redis. */
const records = (): string[] => redis.ask('keys', 'mcp:record:*').split('\n').filter(Boolean);

describeWithRedis('the settings of a session', () => {
  beforeAll(async () => {
    redis = await startRedis(sandbox);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => server.close()));
  });
  afterAll(async () => sandbox.close());

  test('are known to a process that first serves the session, and to one that serves it already', async () => {
    const { feature } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id, headers } = await openMcpSession(here.url, ADA);

    const before = [await heardFrom(here, headers), await heardFrom(there, headers)];
    const set = await ask(there, id, rpc(1, 'logging/setLevel', { level: 'error' }));
    const late = await heardFrom(await start(feature), headers);
    const at = await heardFrom(there, headers);
    let home: unknown[] = [];
    await eventually(async () => (home = await heardFrom(here, headers)).length === 1);

    expect(before).toEqual([
      ['quiet', 'loud'],
      ['quiet', 'loud'],
    ]);
    expect(set.status).toBe(200);
    expect([late, at, home]).toEqual([['loud'], ['loud'], ['loud']]);
  });

  test('have reached the other processes by the time that the request is answered', async () => {
    const { feature } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id, headers } = await openMcpSession(here.url, ADA);
    await heardFrom(there, headers);
    const heard: unknown[] = [];

    for (let turn = 0; turn < 20; turn += 1) {
      const level = turn % 2 === 0 ? 'error' : 'debug';
      await ask(here, id, rpc(turn, 'logging/setLevel', { level }));
      heard.push((await heardFrom(there, headers)).length);
    }

    // A request that arrives at the same moment may overtake the announcement.
    const behind = heard.filter((count, turn) => count !== (turn % 2 === 0 ? 1 : 2));
    expect(behind.length).toBeLessThan(4);
  });

  test('let a change reach the stream once, wherever the client subscribed, until it unsubscribes', async () => {
    const { feature, update } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id, headers } = await openMcpSession(here.url, ADA);
    const stream = await openStream(`${there.url}/mcp`, { headers });
    const heard = (): unknown[] =>
      stream.messages().map((message) => (message as { params: { uri: string } }).params.uri);

    await ask(here, id, rpc(1, 'resources/subscribe', { uri: 'note:one' }));
    await ask(there, id, rpc(2, 'resources/subscribe', { uri: 'note:two' }));
    await eventually(async () => {
      update('note:one');
      return heard().includes('note:one');
    });
    update('note:two');
    await eventually(() => heard().includes('note:two'));
    const ones = heard().filter((uri) => uri === 'note:one').length;
    await ask(here, id, rpc(3, 'resources/unsubscribe', { uri: 'note:one' }));
    await ask(there, id, rpc(4, 'ping'));
    await eventually(async () => {
      const count = heard().length;
      update('note:one');
      update('note:two');
      await eventually(() => heard().at(-1) === 'note:two' && heard().length > count);
      return heard().length === count + 1;
    });
    stream.close();

    expect(ones).toBeGreaterThan(0);
    expect(heard().filter((uri) => uri === 'note:two').length).toBeGreaterThan(1);
  });

  test('let a change reach the stream after Redis is back, if it happened while Redis was unreachable', async () => {
    const { feature, update } = createSettable();
    const way = await openRedisWay(sandbox, redis);
    await start(feature);
    const there = await start(feature, way.url);
    const { id, headers } = await openMcpSession(there.url, ADA);
    await ask(there, id, rpc(1, 'resources/subscribe', { uri: 'note:one' }));
    const stream = await openStream(`${there.url}/mcp`, { headers });
    const listening = await openStream(
      `${there.url}/mcp`,
      stateless(
        {
          method: 'subscriptions/listen',
          params: { notifications: { resourceSubscriptions: ['note:two'] } },
        },
        { token: ADA },
      ),
    );
    await listening.waitFor(({ data = '' }) => data.includes('acknowledged'));
    const heard = (): unknown[] =>
      [stream, listening].map(({ frames }) =>
        frames.flatMap(({ data = '' }) => /resources\/updated.*"(note:\w+)"/.exec(data)?.[1] ?? []),
      );

    way.cut();
    await waitFor('a server that notices', async () =>
      (await send(`${there.url}/ready`)).text.includes('degraded'),
    );
    for (const uri of ['note:one', 'note:two', 'note:three']) update(uri);
    const before = heard();
    way.mend();
    await stream.waitFor(({ data = '' }) => data.includes('resources/updated'));
    await listening.waitFor(({ data = '' }) => data.includes('resources/updated'));
    const after = heard();
    for (const each of [stream, listening]) each.close();

    expect([before, after]).toEqual([
      [[], []],
      [['note:one'], ['note:two']],
    ]);
  });

  test('when lost make the session unknown at other processes, until the process that knows them restores them', async () => {
    const { feature } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id, headers } = await openMcpSession(here.url, ADA);
    await ask(here, id, rpc(1, 'logging/setLevel', { level: 'error' }));

    redis.ask('flushall');
    const unknown = await ask(there, id, rpc(2, 'ping'));
    const known = await ask(here, id, rpc(3, 'ping'));
    // The process restores what was lost when Redis has been unreachable and is back.
    redis.ask('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await eventually(async () => (await ask(there, id, rpc(4, 'ping'))).status === 200);

    expect([unknown.status, known.status]).toEqual([404, 200]);
    expect(await heardFrom(there, headers)).toEqual(['loud']);
  });

  test('cannot be changed (503) while Redis is unreachable; other requests are served where the session is known', async () => {
    const { feature } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id } = await openMcpSession(here.url, ADA);

    redis.hang();
    await waitFor('servers that notice', async () => {
      const bodies = await Promise.all([here, there].map(async ({ url }) => send(`${url}/ready`)));
      return bodies.every(({ text }) => text.includes('degraded'));
    });
    const answers = [
      await ask(here, id, rpc(1, 'logging/setLevel', { level: 'error' })),
      await ask(here, id, rpc(2, 'tools/list')),
      await ask(there, id, rpc(3, 'tools/list')),
    ];
    const alone = await openMcpSession(there.url, ADA);
    const served = await ask(there, alone.id, rpc(4, 'logging/setLevel', { level: 'error' }));
    redis.goOn();

    expect(answers.map(({ status }) => status)).toEqual([503, 200, 503]);
    expect(answers[0]?.headers.get('retry-after')).toBe('1');
    // A session that begins meanwhile belongs to its process alone.
    expect(served.status).toBe(200);
  });

  test('cannot be changed (503) while Redis hangs; a session that begins meanwhile belongs to its process, without a record', async () => {
    redis.ask('flushall');
    const { feature } = createSettable();
    const [here, there] = [await start(feature), await start(feature)];
    const { id } = await openMcpSession(here.url, ADA);

    redis.hang();
    const [set, alone] = await Promise.all([
      ask(here, id, rpc(1, 'logging/setLevel', { level: 'error' })),
      openMcpSession(there.url, ADA),
    ]);
    // The connection itself would notice only after three seconds.
    const isNoticed = [here, there].map(({ lines }) => lines.some(({ msg }) => msg === 'redis lost'));
    redis.goOn();
    const elsewhere = await ask(here, alone.id, rpc(2, 'ping'));

    expect([set.status, elsewhere.status]).toEqual([503, 404]);
    expect(isNoticed).toEqual([false, false]);
    await eventually(() => records().length === 1, { what: 'the record to go' });
  });

  test('are unreadable in Redis, and removed when the session ends', async () => {
    const { feature } = createSettable();
    const here = await start(feature);
    const { id } = await openMcpSession(here.url, ADA);
    await ask(here, id, rpc(1, 'resources/subscribe', { uri: 'note:secret' }));

    const before = records();
    const contents = redis.hashes('mcp:record:*');
    await send(`${here.url}/mcp`, { token: ADA, method: 'DELETE', headers: { 'Mcp-Session-Id': id } });
    await eventually(() => records().length < before.length);

    expect(redis.lasting('mcp:record:*')).toEqual([]);
    expect(contents).not.toMatch(/secret|note|subscribe|ada/);
  });

  test('leave no record and no session when the client of initialize disconnects while Redis is slow', async () => {
    redis.ask('flushall');
    const way = await openRedisWay(sandbox, redis);
    const server = await start(createSettable().feature, way.url);
    const gone = new AbortController();
    let isNoticed = false;
    const watch = (event: unknown): void => {
      const { request } = event as { request: IncomingMessage };
      request.socket.once('close', () => (isNoticed = true));
    };
    subscribe('http.server.request.start', watch);

    way.hold();
    const init = requestInit({ token: ADA, body: initialize() });
    const asked = fetch(`${server.url}/mcp`, { ...init, signal: gone.signal }).catch(() => undefined);
    await eventually(() => records().length === 1, { what: 'the record' });
    gone.abort();
    await asked;
    await eventually(() => isNoticed, { what: 'the server to notice' });
    unsubscribe('http.server.request.start', watch);
    way.handOn();

    await eventually(() => records().length === 0, { what: 'the record to go' });
    expect(server.lines.filter(({ session }) => session !== undefined)).toEqual([]);
  });

  test('leave no record when the session is refused for the limit', async () => {
    redis.ask('flushall');
    const server = await start(createSettable().feature, redis.url, { MAX_SESSIONS_PER_USER: '1' });
    const { headers } = await openMcpSession(server.url, ADA);
    const stream = await openStream(`${server.url}/mcp`, { headers });

    const refused = await send(`${server.url}/mcp`, { token: ADA, body: initialize() });

    expect(refused.status).toBe(429);
    await eventually(() => records().length === 1, { what: 'the other record to go' });
    stream.close();
  });

  // The last one, since it looks back at all the others.
  test('needed no other rights than those of a server', () => {
    expect(redis.denied()).toBe('');
  });
});
