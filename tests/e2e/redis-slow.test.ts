/**
 * What clients see when a process or its connection to Redis is slow: a message for another process's stream gets a definite answer, and is handled
 * once or not at all.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import type { Feature } from '../../src/mcp/feature.ts';
import { leftToCi } from '../support/in-ci.ts';
import { createSandbox, type Sandbox, waitFor } from '../support/process.ts';
import {
  type Answer,
  eventually,
  openMcpSession,
  type RawSession,
  type RequestOptions,
  rpc,
  send,
} from '../support/raw-http.ts';
import { describeWithRedis, startRedis, type TestRedis, TESTER } from '../support/redis.ts';
import { openRedisWay } from '../support/redis-way.ts';
import { type ServerProcess, startServer as startProcess, WITH_TOKENS } from '../support/server-process.ts';
import { openSse } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const SECRET = randomBytes(32).toString('base64url');

/** More than the 32 MiB that Redis keeps, as it comes, for a connection that listens. */
const TOO_MUCH = { pieces: 48, bytes: 1_048_576 };

let sandbox: Sandbox;
let redis: TestRedis;
const servers: TestServer[] = [];

/** Starts a process of the server in this one. */
async function start(url = redis.url, features: readonly Feature[] = []): Promise<TestServer> {
  const server = await startTestServer({ env: { SERVER_SECRET: SECRET, REDIS_URL: url }, features });
  servers.push(server);
  return server;
}

/** Starts a process that can be stopped. */
async function startHome(): Promise<ServerProcess> {
  const env = { ...WITH_TOKENS.env, SERVER_SECRET: SECRET, REDIS_URL: redis.url };
  return startProcess(sandbox, { ...WITH_TOKENS, env });
}

/** Posts to a session of HTTP+SSE. */
const post = ({ url }: { url: string }, sessionId: string, body: unknown): Promise<Answer> =>
  send(`${url}/messages?sessionId=${sessionId}`, { token: ADA, body });

/** The connections that listen. */
const listeners = (): string[] => redis.ask('client', 'list', 'type', 'pubsub').match(/\bid=\d+/g) ?? [];

leftToCi(describeWithRedis)('with Redis', () => {
  beforeEach(async () => {
    sandbox = createSandbox();
    redis = await startRedis(sandbox);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => server.close()));
    await sandbox.close();
  });

  test('that is slow at the start, a process listens only once it has joined, so that its first message gets through', async () => {
    const here = await start();
    const session = await openSse(here.url, ADA);
    const way = await openRedisWay(sandbox, redis, { delayMs: 100 });

    const there = await start(way.url);
    const first = await post(there, session.id, rpc(1, 'ping'));

    expect(first.status).toBe(202);
    await session.answerTo(1);
    session.close();
  });

  test('that is slow, a session that is ended while another request waits is over for that request too, and not opened again', async () => {
    const logs: Feature = { name: 'logs', options: { capabilities: { logging: {} } } };
    const way = await openRedisWay(sandbox, redis, { delayMs: 60 });
    const [here, there] = [await start(redis.url, [logs]), await start(way.url, [logs])];
    const [unknown, known] = [await openMcpSession(here.url, ADA), await openMcpSession(there.url, ADA)];
    const ask = async ({ id }: RawSession, options: RequestOptions): Promise<number> =>
      (await send(`${there.url}/mcp`, { token: ADA, headers: { 'Mcp-Session-Id': id }, ...options })).status;

    // Both ask whether it has been ended, the second before the first hears that it has not.
    const asked = redis.given('exists');
    const ending = ask(unknown, { method: 'DELETE' });
    await eventually(() => redis.given('exists') > asked);
    const beside = [await ask(unknown, { body: rpc(1, 'ping') }), await ending];
    const after = await ask(unknown, { body: rpc(2, 'ping') });
    // What this one sets is on its way to where the others read it.
    const written = redis.given('hset');
    way.hold();
    const setting = ask(known, { body: rpc(1, 'logging/setLevel', { level: 'error' }) });
    await eventually(() => redis.given('hset') > written);
    const deleted = await ask(known, { method: 'DELETE' });
    way.handOn();
    const set = await setting;

    expect([beside, after, deleted]).toEqual([[404, 200], 404, 200]);
    // 503 where nobody waits for Redis any more.
    expect([404, 503]).toContain(set);
  });

  test('a process that stops for a second delays only the messages that need it', async () => {
    const [home, there] = [await startHome(), await start()];
    const session = await openSse(home.url, ADA);
    const before = redis.given('publish');

    home.child.kill('SIGSTOP');
    const posted = post(there, session.id, rpc('waits', 'ping'));
    await waitFor('the repeat', () => redis.given('publish') >= before + 2);
    home.child.kill('SIGCONT');

    expect((await posted).status).toBe(202);
    await session.answerTo('waits');

    home.child.kill('SIGSTOP');
    const refused = await post(there, session.id, rpc('late', 'ping'));
    home.child.kill('SIGCONT');
    const next = await post(there, session.id, rpc('next', 'ping'));
    await session.answerTo('next');
    session.close();

    expect([refused.status, refused.headers.get('retry-after'), next.status]).toEqual([503, '1', 202]);
    expect(session.messages()).toHaveLength(2);
  });

  test('that disconnects a slow process, the process reconnects; messages meanwhile are handled once, or are 503 and not handled', async () => {
    const way = await openRedisWay(sandbox, redis);
    const slow = await start(way.url);
    const [ofSlow = ''] = listeners();
    const inbox = redis.ask('pubsub', 'channels', 'mcp:in:*');
    const there = await start();
    const session = await openSse(slow.url, ADA);

    way.holdListeners();
    const statuses = [post(there, session.id, rpc(0, 'ping'))];
    const crowd = createClient({ ...TESTER, socket: { path: redis.url.replace('unix://', ''), tls: false } });
    await crowd.connect();
    const piece = randomBytes(TOO_MUCH.bytes);
    for (let sent = 0; sent < TOO_MUCH.pieces; sent += 1) await crowd.publish(inbox, piece);
    crowd.destroy();
    const isCut = !listeners().includes(ofSlow);
    for (let id = 1; id < 5; id += 1) statuses.push(post(there, session.id, rpc(id, 'ping')));
    const answers = (await Promise.all(statuses)).map(({ status }) => status);
    await eventually(async () => (await post(there, session.id, rpc('last', 'ping'))).status === 202);
    await session.answerTo('last');
    const ids = session.messages().map((message) => (message as { id: unknown }).id);
    session.close();

    expect(isCut).toBe(true);
    expect(slow.lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['redis lost', 'redis is back']));
    expect(answers.filter((status) => status !== 202 && status !== 503)).toEqual([]);
    expect(ids.filter((id) => id !== 'last')).toEqual(
      answers.flatMap((status, id) => (status === 202 ? [id] : [])),
    );
  });
});
