/** What clients see when Redis, or another process, fails: calls on /mcp are served all along, and what cannot be served is 503 and never hangs. */
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import { pino } from 'pino';
import { createSealer, type Sealer } from '../../src/sealed.ts';
import { ENVELOPE_VERSION } from '../../src/sessions/redis/envelopes.ts';
import { createRedisPeers } from '../../src/sessions/redis/redis-peers.ts';
import { PeersUnreachableError, type Peers } from '../../src/sessions/peers.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { createHeldTool } from '../support/held-tool.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { createSandbox, type Sandbox, waitFor } from '../support/process.ts';
import {
  type Answer,
  callTool,
  eventually,
  openMcpSession,
  rpc,
  send,
  stateless,
} from '../support/raw-http.ts';
import { describeWithRedis, startRedis, type TestRedis, TESTER } from '../support/redis.ts';
import { openRedisWay } from '../support/redis-way.ts';
import { fixtureEntry, startServer as startProcess, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { openSse, openStream } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer, type TestServerOptions } from '../support/start-server.ts';

const SECRET = randomBytes(32).toString('base64url');
let sandbox: Sandbox;
let redis: TestRedis;
const servers: TestServer[] = [];
const joined: Peers[] = [];

/** Starts a process of the server, without waiting for the others. */
async function start(
  env: Record<string, string> = {},
  options: Omit<TestServerOptions, 'env'> = {},
): Promise<TestServer> {
  const sharing = { SERVER_SECRET: SECRET, REDIS_URL: redis.url };
  const server = await startTestServer({ env: { ...sharing, ...env }, ...options });
  servers.push(server);
  return server;
}

/** Joins a process without a server; its clock may be another one's. */
async function join(sealer: Sealer, now = () => performance.now()): Promise<Peers> {
  const log = pino({ level: 'silent' });
  const peers = await createRedisPeers({ url: redis.url, prefix: 't:', sealer, log, now });
  joined.push(peers);
  await waitFor('a peer', () => peers.standing === 'together');
  return peers;
}

/** Connects somebody who may write what the processes send to each other, and read it. */
async function openTap() {
  const tap = createClient({ ...TESTER, socket: { path: redis.url.replace('unix://', ''), tls: false } });
  const listener = tap.duplicate();
  await Promise.all([tap.connect(), listener.connect()]);
  return { tap, listener };
}

/** What `/ready` says. */
const readiness = async ({ url }: { url: string }): Promise<unknown[]> => {
  const { status, body } = await send(`${url}/ready`);
  return [status, (body as { status: string }).status];
};

/** Waits until a process has joined the others. */
const untilReady = async (...started: { url: string }[]): Promise<void> => {
  for (const server of started)
    await waitFor('a server that is ready', async () => (await readiness(server))[1] === 'ready');
};

/** Waits until a process notices that it is on its own. */
const untilDegraded = async (...started: { url: string }[]): Promise<void> => {
  for (const server of started)
    await waitFor('a server that is degraded', async () => (await readiness(server))[1] === 'degraded');
};

/** Posts to a session of HTTP+SSE. */
const postSse = ({ url }: { url: string }, sessionId: string, body: unknown): Promise<Answer> =>
  send(`${url}/messages?sessionId=${sessionId}`, { token: ADA, body });

/** Ends a session of Streamable HTTP in a process. */
const endSession = ({ url }: { url: string }, sessionId: string): Promise<Answer> =>
  send(`${url}/mcp`, { method: 'DELETE', token: ADA, headers: { 'Mcp-Session-Id': sessionId } });

/** Whether every kind of call of /mcp is answered by a process. */
async function answersCalls({ url }: { url: string }, sessionId: string): Promise<number[]> {
  const answers = [
    await send(`${url}/mcp`, {
      token: ADA,
      headers: { 'Mcp-Session-Id': sessionId },
      body: callTool(1, 'whoami'),
    }),
    await send(
      `${url}/mcp`,
      stateless({ method: 'tools/call', params: { name: 'whoami', arguments: {} } }, { token: ADA }),
    ),
    await send(`${url}/mcp`, { token: ADA, body: rpc(1, 'ping') }),
  ];
  return answers.map(({ status }) => status);
}

leftToCi(describeWithRedis)('with Redis', () => {
  beforeEach(async () => {
    sandbox = createSandbox();
    redis = await startRedis(sandbox);
  });
  afterEach(async () => {
    redis.goOn();
    await Promise.all(joined.splice(0).map(async (peers) => peers.close()));
    await Promise.all(servers.splice(0).map(async (server) => server.close()));
    await sandbox.close();
  });

  test('that is unreachable at the start, a server is not ready but serves, and joins later: sessions that it ended meanwhile end everywhere', async () => {
    await redis.kill();
    const [server, other] = [await start(), await start()];

    const before = [await readiness(server), (await send(`${server.url}/health`)).status];
    const { id } = await openMcpSession(server.url, ADA);
    const served = await answersCalls(server, id);
    const over = await openMcpSession(server.url, ADA);
    await endSession(other, over.id);
    await redis.start();
    await untilReady(server, other);
    await eventually(async () => (await over.post(rpc(1, 'ping'))).status === 404);

    expect(before).toEqual([[503, 'unavailable: redis'], 200]);
    expect(served).toEqual([200, 200, 200]);
    const reports = server.lines.filter(({ msg }) => msg === 'redis cannot be reached');
    expect(reports).toHaveLength(1);
    expect(JSON.stringify(reports)).not.toContain(redis.url.replace('unix://', ''));
  });

  test('that refuses a connection is logged with its error, without what was sent to it', async () => {
    // As Redis 5 answers, which knows no HELLO.
    const old = createServer((socket) =>
      socket.on('data', () =>
        socket.write('-ERR unknown command `HELLO`, with args beginning with: `3`, `hunter2`\r\n'),
      ),
    ).listen(0, '127.0.0.1');
    await once(old, 'listening');

    const without = await start({ REDIS_URL: `${redis.url}?db=99` });
    const older = await start({
      REDIS_URL: `redis://:hunter2@127.0.0.1:${(old.address() as AddressInfo).port}`,
    });
    old.close();

    const reasons = [without, older].map(({ lines }) =>
      lines.find(({ msg }) => msg === 'redis cannot be reached'),
    );
    expect(reasons).toMatchObject([
      { reason: 'ERR DB index is out of range' },
      { reason: 'ERR unknown command' },
    ]);
  });

  test('full it serves calls all the same, and the log, /ready and the metrics say so until there is room', async () => {
    const [here, there] = [await start({ METRICS_TOKEN: SECRET }), await start()];
    await untilReady(here, there);
    const readGauge = async (): Promise<unknown> =>
      /^mcp_server_dependency_up.*"redis".*$/m.exec(
        (await send(`${here.url}/metrics`, { token: SECRET })).text,
      )?.[0];

    redis.ask('config', 'set', 'maxmemory', '1');
    await untilDegraded(here, there);
    const gauge = await readGauge();
    const { id } = await openMcpSession(here.url, ADA);
    const served = await answersCalls(there, id);
    redis.ask('config', 'set', 'maxmemory', '0');
    await untilReady(here, there);

    expect([gauge, await readGauge()]).toEqual([
      'mcp_server_dependency_up{dependency="redis"} 0',
      'mcp_server_dependency_up{dependency="redis"} 1',
    ]);
    expect(served).toEqual([200, 200, 200]);
    expect(here.lines.filter(({ msg }) => msg === 'redis refuses writes')).toMatchObject([{ reason: 'OOM' }]);
    expect(here.lines.map(({ msg }) => msg)).toContain('redis takes writes again');
  });

  test('is not reported as lost when a process ends by itself', async () => {
    const server = await start();
    await untilReady(server);
    redis.hang();
    const hungMs = performance.now();
    // Each second a ping is sent; its end is an error of the connection.
    await waitFor('a ping that is under way', () => performance.now() - hungMs > 1_200);

    await Promise.all(servers.splice(0).map(async (one) => one.close()));

    expect(server.lines.map(({ msg }) => msg).filter((msg) => String(msg).startsWith('redis'))).toEqual([
      'redis reached',
    ]);
  });

  test('that is lost, calls are served, and messages for a stream are accepted at its own process and 503, never 404, at another', async () => {
    const held = createHeldTool();
    const tools = [...fixtureTools, held.tool];
    const [here, there] = [await start({}, { tools }), await start({}, { tools })];
    await untilReady(here, there);
    const session = await openSse(here.url, ADA);
    const { id, headers } = await openMcpSession(here.url, ADA);
    const broken = openStream(`${here.url}/mcp`, { headers, body: callTool('cut', 'hold') });
    await held.untilWaiting(1);
    const { id: lastId = '' } = await (await broken).waitFor((frame) => frame.id !== undefined);
    (await broken).close();

    await redis.kill();
    await untilDegraded(here, there);
    const calls = [await answersCalls(here, id), await answersCalls(there, id)];
    // Resuming elsewhere waits a while for Redis to come back: clients take a refusal for the end.
    const resuming = openStream(`${there.url}/mcp`, { headers: { ...headers, 'Last-Event-ID': lastId } });
    const ready = [await readiness(here), await readiness(there)];
    const [home, away] = [
      await postSse(here, session.id, rpc('home', 'ping')),
      await postSse(there, session.id, rpc(1, 'ping')),
    ];
    await session.answerTo('home');
    await redis.start();
    await untilReady(here, there);
    const back = await postSse(there, session.id, rpc('back', 'ping'));
    await session.answerTo('back');
    session.close();
    const resumed = await resuming;
    held.release();

    expect(await resumed.answerTo('cut')).toMatchObject({ result: { content: [{ text: 'held' }] } });
    expect(calls).toEqual([
      [200, 200, 200],
      [200, 200, 200],
    ]);
    expect(ready).toEqual([
      [200, 'degraded'],
      [200, 'degraded'],
    ]);
    expect([home.status, away.status, back.status]).toEqual([202, 503, 202]);
    expect(away.headers.get('retry-after')).toBe('1');
  });

  testInCi(
    'hung calls go on, also the first of a session, and what needs it is 503 and no hang',
    async () => {
      const [here, there] = [await start(), await start()];
      await untilReady(here, there);
      const session = await openSse(here.url, ADA);
      const { id } = await openMcpSession(here.url, ADA);

      redis.hang();
      const late = await postSse(there, session.id, rpc('late', 'ping'));
      // What Redis has taken meanwhile it hands on; nobody waits for that any more.
      redis.goOn();
      await eventually(async () => (await postSse(there, session.id, rpc('after', 'ping'))).status === 202);
      await session.answerTo('after');
      const ids = session.messages().map((message) => (message as { id: unknown }).id);

      redis.hang();
      const hanging = await postSse(there, session.id, rpc(1, 'ping'));
      const calls = [await answersCalls(here, id), await answersCalls(there, id)];
      await untilDegraded(here, there);
      const noticed = await postSse(there, session.id, rpc(2, 'ping'));
      redis.goOn();
      await untilReady(here, there);
      const back = await postSse(there, session.id, rpc('back', 'ping'));
      await session.answerTo('back');
      session.close();

      expect([late.status, hanging.status, noticed.status, back.status]).toEqual([503, 503, 503, 202]);
      expect(ids).not.toContain('late');
      expect(calls).toEqual([
        [200, 200, 200],
        [200, 200, 200],
      ]);
    },
  );

  test('that is restarted empty, streams are reached again and sessions stay valid', async () => {
    const [here, there] = [await start(), await start()];
    await untilReady(here, there);
    const session = await openSse(here.url, ADA);
    const { id } = await openMcpSession(here.url, ADA);

    await redis.kill();
    await redis.start();
    await untilReady(here, there);
    const statuses: number[] = [];
    await eventually(async () => {
      const { status } = await postSse(there, session.id, rpc(statuses.length, 'ping'));
      statuses.push(status);
      return status === 202;
    });
    await session.answerTo(statuses.length - 1);
    session.close();

    // While connections come back one after the other: try again, never that there is no session.
    expect(statuses.filter((status) => status !== 202 && status !== 503)).toEqual([]);
    expect(await answersCalls(there, id)).toEqual([200, 200, 200]);
  });

  test('that one process could not reach, sessions that were ended meanwhile end in every process once it is back', async () => {
    const way = await openRedisWay(sandbox, redis);
    const [cut, other] = [await start({ REDIS_URL: way.url }), await start()];
    await untilReady(cut, other);
    const [first, second, kept] = [
      await openMcpSession(cut.url, ADA),
      await openMcpSession(cut.url, ADA),
      await openMcpSession(cut.url, ADA),
    ];
    for (const { id } of [first, second, kept]) await answersCalls(other, id);

    way.cut();
    await untilDegraded(cut);
    const ended = [await endSession(other, first.id), await endSession(cut, second.id)];
    const unheard = [await answersCalls(cut, first.id), await answersCalls(other, second.id)];
    way.mend();
    await untilReady(cut);
    await eventually(async () => (await answersCalls(cut, first.id))[0] === 404, { what: 'the first end' });
    await eventually(async () => (await answersCalls(other, second.id))[0] === 404, { what: 'the second' });

    expect(ended.map(({ status }) => status)).toEqual([200, 200]);
    expect(unheard.map(([status]) => status)).toEqual([200, 200]);
    for (const server of [cut, other]) expect(await answersCalls(server, kept.id)).toEqual([200, 200, 200]);
  });

  testInCi(
    'that cuts a subscriber it comes back by itself, and what was sent meanwhile is repeated or 503',
    async () => {
      const [here, there] = [await start(), await start()];
      await untilReady(here, there);
      const session = await openSse(here.url, ADA);

      const statuses: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        redis.ask('client', 'kill', 'type', 'pubsub');
        statuses.push((await postSse(there, session.id, rpc(round, 'ping'))).status);
      }
      await untilReady(here, there);
      await eventually(async () => (await postSse(there, session.id, rpc('last', 'ping'))).status === 202);
      await session.answerTo('last');
      const ids = session.messages().map((message) => (message as { id: unknown }).id);
      session.close();

      expect(statuses.filter((status) => status !== 202 && status !== 503)).toEqual([]);
      // What was accepted is answered, and nothing twice.
      expect(ids.filter((id) => id !== 'last')).toEqual(
        statuses.flatMap((status, round) => (status === 202 ? [round] : [])),
      );
    },
  );

  test('a process that is killed during a call loses the call, whose client is told so; the session stays valid at the others', async () => {
    const env = { ...WITH_TOKENS.env, SERVER_SECRET: SECRET, REDIS_URL: redis.url };
    const home = await startProcess(sandbox, { ...WITH_TOKENS, env, entry: fixtureEntry('http', 'wait') });
    const there = await start();
    await untilReady(home, there);
    const { id, headers } = await openMcpSession(home.url, TOKEN.ada);
    const session = await openSse(home.url, TOKEN.ada);
    // A call that takes long is a stream with an id.
    const calling = await openStream(`${home.url}/mcp`, {
      headers,
      body: callTool('cut', 'wait', { file: path.join(home.cwd, 'never') }),
    });
    const { id: lastId = '' } = await calling.waitFor((frame) => frame.id !== undefined);

    home.child.kill('SIGKILL');
    await home.ended;
    const again = await openStream(`${there.url}/mcp`, { headers: { ...headers, 'Last-Event-ID': lastId } });
    const calls = await answersCalls(there, id);
    const atOnce = await postSse(there, session.id, rpc(1, 'ping'));
    await waitFor(
      'its lease to end',
      async () => (await postSse(there, session.id, rpc(2, 'ping'))).status === 404,
      {
        timeoutMs: 30_000,
      },
    );

    const lost = await again.waitFor(({ data = '' }) => data !== '', 30_000);

    expect(TOKEN.ada).toBe(ADA);
    expect(again.status).toBe(200);
    expect(lost.data).toMatch(/"id":"cut","error":.*"answer_lost"/);
    expect(calls).toEqual([200, 200, 200]);
    expect(atOnce.status).toBe(503);
    await expect(session.over()).resolves.toBeDefined();
  }, 60_000);

  testInCi(
    'that one process alone cannot reach has its streams end, whose clients go elsewhere; its calls go on',
    async () => {
      const way = await openRedisWay(sandbox, redis);
      const [cut, other] = [await start({ REDIS_URL: way.url }), await start()];
      await untilReady(cut, other);
      const { id } = await openMcpSession(cut.url, ADA);
      const stream = await openSse(cut.url, ADA);

      way.cut();
      const end = await stream.over(40_000);
      const retry = stream.frames.findLast((frame) => frame.retry !== undefined)?.retry;
      const calls = [await answersCalls(cut, id), await answersCalls(other, id)];
      const elsewhere = await openSse(other.url, ADA);
      const taken = await postSse(other, elsewhere.id, rpc('there', 'ping'));
      await elsewhere.answerTo('there');
      elsewhere.close();

      expect([end, taken.status, (await readiness(cut))[1]]).toEqual(['ended', 202, 'degraded']);
      expect(Number(retry)).toBeLessThan(1_100);
      expect(calls).toEqual([
        [200, 200, 200],
        [200, 200, 200],
      ]);
      expect(cut.lines.map(({ msg }) => msg)).toContain(
        'redis was away for too long: other processes treat this one as gone',
      );
    },
    60_000,
  );

  test('that hangs does not delay announcements to all processes', async () => {
    const one = await join(createSealer([SECRET]));

    redis.hang();
    await one.tell('news', 1);

    // The connection itself notices after three seconds.
    expect(one.standing).toBe('together');
  });

  test('a message whose receipt is lost is handled once and still gets its receipt; one that cannot be answered is not handled', async () => {
    const sealer = createSealer([SECRET]);
    let middleMs = 0;
    const [one, middle] = [await join(sealer), await join(sealer, () => performance.now() + middleMs)];
    const heard: unknown[] = [];
    middle.onAsk('count', (body) => heard.push(body));
    const { tap, listener } = await openTap();
    const [questions, receipts]: [Buffer[], Buffer[]] = [[], []];
    const [inbox, back] = [`t:in:${middle.self}`, `t:in:${one.self}`];
    await listener.subscribe(inbox, (bytes) => void questions.push(bytes), true);
    await listener.subscribe(back, (bytes) => void receipts.push(bytes), true);
    await one.ask(middle.self, 'count', 'first');
    await waitFor('the tap', () => questions.length === 1 && receipts.length === 1);

    // It is repeated when its time is over: it has been done, and is not done again.
    middleMs = 3_000;
    await tap.publish(inbox, questions[0] ?? '');
    await waitFor('the receipt again', () => receipts.length === 2);

    // What nobody has done by then never is.
    const seal = (id: string, untilMs: number): Buffer => {
      const messages = [{ number: 7, kind: 'count', body: id }];
      const body = { version: ENVELOPE_VERSION, id, from: one.self, untilMs, messages };
      return sealer.sealMessage('envelope', Buffer.from(JSON.stringify(body)), inbox);
    };
    await tap.publish(inbox, seal('late', Date.now() + 1_000));
    // Its commands are kept out, while it hears: it could not say that it has been done.
    await tap.sendCommand(['ACL', 'SETUSER', 'default', 'off']);
    await tap.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await waitFor('a peer that is cut off', () => middle.standing === 'cut-off');
    const unanswerable = seal('unanswerable', Date.now() + 60_000);
    await tap.publish(inbox, unanswerable);
    await waitFor('the tap', () => questions.length === 4);
    await tap.sendCommand(['ACL', 'SETUSER', 'default', 'on']);
    await waitFor('a peer', () => middle.standing === 'together');
    const before = [...heard];
    await tap.publish(inbox, unanswerable);
    await waitFor('the receipt', () => receipts.length === 3);
    listener.destroy();
    tap.destroy();

    expect(before).toEqual(['first']);
    expect(heard).toEqual(['first', 'unanswerable']);
  });

  testInCi(
    'a message that has been received is given up by nobody because it cannot be repeated',
    async () => {
      const sealer = createSealer([SECRET]);
      const one = await join(sealer);
      const { tap, listener } = await openTap();
      const [inbox, back] = ['t:in:other', `t:in:${one.self}`];
      const taken: Buffer[] = [];
      await listener.subscribe(inbox, (bytes) => void taken.push(bytes), true);
      const answer = one.ask('other', 'count', 1).catch((error: unknown) => error);
      await waitFor('the question', () => taken.length === 1);
      // It hears nothing for a while, as when its connection is made anew.
      await listener.unsubscribe(inbox);
      await waitFor('the repeat', () => redis.given('publish') === 2);
      const question = sealer.openMessage('envelope', taken[0] ?? Buffer.alloc(0), inbox);
      const { messages } = JSON.parse(String(question)) as { messages: [{ number: number }] };
      const receipt = {
        version: ENVELOPE_VERSION,
        id: 'receipt',
        from: 'other',
        untilMs: Date.now() + 60_000,
        messages: [{ to: messages[0].number, found: { value: 'done' } }],
      };
      await tap.publish(back, sealer.sealMessage('envelope', Buffer.from(JSON.stringify(receipt)), back));
      listener.destroy();
      tap.destroy();

      expect(await answer).toBe('done');
    },
  );

  testInCi(
    'a message that comes twice, or out of order, is dealt with once, and one of another version is 503 and not guessed at',
    async () => {
      const sealer = createSealer([SECRET]);
      // Clocks that say something else each, as those of two machines do.
      const [one, other] = [
        await join(sealer, () => performance.now() - 240_000),
        await join(sealer, () => performance.now() + 240_000),
      ];
      const middle = await join(sealer);
      const heard: unknown[] = [];
      middle.onAsk('count', (body) => heard.push(body));
      // Somebody who may read and write the channel, and repeats what goes over it.
      const { tap, listener } = await openTap();
      const taken: Buffer[] = [];
      const inbox = `t:in:${middle.self}`;
      await listener.subscribe(inbox, (bytes) => void taken.push(bytes), true);

      const counts = [await one.ask('nobody', 'count', 0).catch((error: unknown) => error)];
      counts.push(await one.ask(middle.self, 'count', 1), await other.ask(middle.self, 'count', 2));
      const unknown = await one.ask(middle.self, 'of the next version', 3).catch((error: unknown) => error);

      await waitFor('the tap', () => taken.length === 3);
      for (const bytes of taken.toReversed()) await tap.publish(inbox, bytes);
      // Elsewhere, and a bit of it changed, it is nothing at all.
      await tap.publish(`t:in:${other.self}`, taken[0] ?? '');
      await tap.publish(inbox, Buffer.concat([taken[0] ?? Buffer.alloc(0), Buffer.from('x')]));
      // What a process of the next version sends is not guessed at either, though it is sealed with the same secret.
      const next = {
        version: ENVELOPE_VERSION + 1,
        id: 'next',
        from: one.self,
        untilMs: Date.now() + 60_000,
        messages: [{ number: 9, kind: 'count', body: 9 }],
      };
      await tap.publish(inbox, sealer.sealMessage('envelope', Buffer.from(JSON.stringify(next)), inbox));
      counts.push(await other.ask(middle.self, 'count', 4));
      tap.destroy();
      listener.destroy();

      expect(counts[0]).toBeInstanceOf(PeersUnreachableError);
      expect(counts.slice(1)).toEqual([1, 2, 3]);
      expect(unknown).toBeInstanceOf(PeersUnreachableError);
      expect(heard).toEqual([1, 2, 4]);
    },
  );

  testInCi(
    'what is said within a moment goes as one message, is answered each by itself, and is repeated as a whole and done once',
    async () => {
      const sealer = createSealer([SECRET]);
      const [one, other] = [await join(sealer), await join(sealer)];
      const heard: unknown[] = [];
      const slowly = new EventEmitter<{ done: [string] }>();
      other.onAsk('count', (body: number) => heard.push(body) * 10);
      other.onAsk('slow', async () => ((await once(slowly, 'done')) as [string])[0]);
      other.onAsk('fails', () => {
        throw new Error('It fails.');
      });
      other.onAsk('large', (body: string) => body.length);
      const { tap, listener } = await openTap();
      const [taken, back]: [Buffer[], Buffer[]] = [[], []];
      const inbox = `t:in:${other.self}`;
      await listener.subscribe(inbox, (bytes) => void taken.push(bytes), true);
      await listener.subscribe(`t:in:${one.self}`, (bytes) => void back.push(bytes), true);

      const slow = one.ask(other.self, 'slow', null);
      const failed = one.ask(other.self, 'fails', null).catch((error: unknown) => error);
      const unknown = one.ask(other.self, 'unknown', null).catch((error: unknown) => error);
      const counts = await Promise.all([1, 2, 3].map(async (n) => one.ask(other.self, 'count', n)));
      // The others have been answered before the slow one is.
      slowly.emit('done', 'slow');
      const late = await slow;
      await waitFor('the tap', () => taken.length === 1 && back.length === 2);
      await tap.publish(inbox, taken[0] ?? '');
      await waitFor('the answers again', () => back.length === 3);
      const large = await Promise.all(
        [1, 2, 3].map(async () => one.ask(other.self, 'large', 'x'.repeat(40_000))),
      );
      listener.destroy();
      tap.destroy();

      expect(counts).toEqual([10, 20, 30]);
      expect(late).toBe('slow');
      for (const error of [await failed, await unknown]) expect(error).toBeInstanceOf(PeersUnreachableError);
      expect(heard).toEqual([1, 2, 3]);
      expect(large).toEqual([40_000, 40_000, 40_000]);
      // The second of them filled a message.
      expect(taken).toHaveLength(4);
    },
  );

  testInCi(
    'beside a process of the former version each hears at once that the other cannot read it',
    async () => {
      const sealer = createSealer([SECRET]);
      const one = await join(sealer);
      const heard: unknown[] = [];
      one.onAsk('count', (body) => heard.push(body));
      const { tap, listener } = await openTap();
      const former = createFormerPeer('former', sealer);
      const answered: unknown[] = [];
      await listener.subscribe(
        't:in:former',
        (bytes) => {
          const envelope = former.open('t:in:former', bytes);
          if (envelope.kind === '') answered.push(envelope.body);
          else void tap.publish(`t:in:${one.self}`, former.seal(`t:in:${one.self}`, '', { to: envelope.id }));
        },
        true,
      );

      const asked = await one.ask('former', 'count', 1).catch((error: unknown) => error);
      await tap.publish(`t:in:${one.self}`, former.seal(`t:in:${one.self}`, 'count', 9));
      await waitFor('its answer', () => answered.length === 1);
      listener.destroy();
      tap.destroy();

      expect(asked).toBeInstanceOf(PeersUnreachableError);
      expect(String(asked)).toContain('another version');
      expect(answered).toEqual([{ to: 'former 2' }]);
      expect(heard).toEqual([]);
    },
  );
});

/** The envelopes of the second version, as it spells and reads them. */
function createFormerPeer(self: string, sealer: Sealer) {
  let sent = 0;
  return {
    seal(channel: string, kind: string, body: unknown): Buffer {
      const id = `${self} ${(sent += 1)}`;
      const envelope = { version: 2, id, from: self, untilMs: Date.now() + 60_000, kind, body };
      return sealer.sealMessage('envelope', Buffer.from(JSON.stringify(envelope)), channel);
    },
    open: (channel: string, bytes: Buffer) =>
      JSON.parse(String(sealer.openMessage('envelope', bytes, channel))) as {
        id: string;
        kind: string;
        body: unknown;
      },
  };
}
