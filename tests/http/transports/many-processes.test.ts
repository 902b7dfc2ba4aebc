/** Several processes of one server over a real Redis: what reaches a process that does not hold the session takes effect at the one that does. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import { defineTool } from '../../../src/mcp/tool.ts';
import { confirm } from '../../support/confirm-tool.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool } from '../../support/held-tool.ts';
import { testEach } from '../../support/in-ci.ts';
import { createSandbox, waitFor } from '../../support/process.ts';
import {
  type Answer,
  callTool,
  eventually,
  initialize,
  openMcpSession,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { createSteppedTool } from '../../support/stepped-tool.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TestServerOptions,
  TOKENS,
} from '../../support/start-server.ts';

/** A token that was added a moment ago. */
const YOUNG = 'tok_ada_young_0123456789';

const [SECRET, NEXT] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
const sandbox = createSandbox();
let redis: TestRedis;
const servers: TestServer[] = [];

/** Starts a process of the server and waits until it is ready. */
async function start({ env, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({
    env: { SERVER_SECRET: SECRET, REDIS_URL: redis.url, ...env },
    ...options,
  });
  servers.push(server);
  await waitFor('a server that is ready', async () => (await send(`${server.url}/ready`)).status === 200);
  return server;
}

/** Sends a request for a session of Streamable HTTP to a process. */
const ask = (
  { url }: TestServer,
  id: string,
  { token = ADA, ...rest }: Parameters<typeof send>[1] = {},
): Promise<Answer> => send(`${url}/mcp`, { token, headers: { 'Mcp-Session-Id': id }, ...rest });

/** Starts a process with this SERVER_SECRET. */
const startWith = async (secrets: string, options: TestServerOptions = {}): Promise<TestServer> =>
  start({ ...options, env: { SERVER_SECRET: secrets } });

/** The keys of the marks in Redis. */
const marks = (): string => redis.ask('keys', 'mcp:mark:*');

let guesses = 0;

/** Tries a token that does not exist. */
const guess = async ({ url }: TestServer): Promise<number> => {
  guesses += 1;
  return (await send(`${url}/mcp`, { token: `tok_guessed_${guesses}`, body: rpc(1, 'ping') })).status;
};

/** The parts of an answer that must not depend on the process. */
const shapeOf = ({ status, body, text, headers }: Answer): unknown => [
  status,
  body ?? text,
  [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
];

/** Opens the stream of a session at one process, at another and at the first again; each but the last ends when the next one opens. */
async function takeOverStream(here: TestServer, there: TestServer) {
  const { headers } = await openMcpSession(here.url, ADA);
  const first = await openStream(`${here.url}/mcp`, { headers });
  const second = await openStream(`${there.url}/mcp`, { headers });
  const firstEnd = await first.over();
  const third = await openStream(`${here.url}/mcp`, { headers });
  const secondEnd = await second.over();
  third.close();
  return { ends: [firstEnd, secondEnd], statuses: [first.status, second.status, third.status] };
}

describeWithRedis('processes that share a Redis', () => {
  beforeAll(async () => {
    redis = await startRedis(sandbox);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => server.close()));
  });
  afterAll(async () => sandbox.close());

  test('answer HTTP+SSE messages on their stream, whichever process they are posted to, and with equal POST answers', async () => {
    const [here, there] = [await start(), await start()];
    const session = await openSse(here.url, ADA);
    const post = async ({ url }: TestServer, body: unknown, token = ADA): Promise<Answer> =>
      send(`${url}/messages?sessionId=${session.id}`, { token, body });

    const accepted = await post(there, callTool('away', 'whoami'));
    const answer = await session.answerTo('away');
    const bodies = [rpc(1, 'ping'), [], [rpc(2, 'ping')], '{', { jsonrpc: '1.0' }, initialize()];
    const pairs: unknown[][] = [];
    for (const body of bodies)
      pairs.push([shapeOf(await post(here, body)), shapeOf(await post(there, body))]);
    const foreign = [
      shapeOf(await post(here, rpc(3, 'ping'), BOB)),
      shapeOf(await post(there, rpc(3, 'ping'), BOB)),
    ];
    session.close();

    expect([accepted.status, accepted.text]).toEqual([202, 'Accepted']);
    expect(there.lines).toContainEqual(expect.objectContaining({ msg: 'message forwarded', userId: 'ada' }));
    expect(answer).toMatchObject({ result: { structuredContent: { userId: 'ada', transport: 'sse' } } });
    for (const [home, away] of [...pairs, foreign]) expect(away).toEqual(home);
    expect(foreign[0]).toEqual(expect.arrayContaining([404]));
  });

  test('refuse an id that is in flight on HTTP+SSE, and deliver each message once and in order', async () => {
    const held = createHeldTool();
    const tools = [...fixtureTools, held.tool];
    const [here, there] = [await start({ tools }), await start({ tools })];
    const session = await openSse(here.url, ADA);
    const post = async (server: TestServer, body: unknown): Promise<Answer> =>
      send(`${server.url}/messages?sessionId=${session.id}`, { token: ADA, body });

    const first = await post(there, callTool(1, 'hold'));
    await held.untilWaiting(1);
    const again = await post(there, callTool(1, 'hold'));
    for (let id = 2; id < 40; id += 1) await post(id % 2 === 0 ? here : there, rpc(id, 'ping'));
    await session.answerTo(39);
    held.release();
    await session.answerTo(1);
    const ids = session.messages().map((message) => (message as { id: unknown }).id);
    session.close();

    expect([first.status, again.status]).toEqual([202, 400]);
    expect(ids).toEqual([...Array.from({ length: 38 }, (_value, index) => index + 2), 1]);
  });

  test('end a session in all of them, also in those that have not heard of its end', async () => {
    const [here, there, elsewhere] = [await start(), await start(), await start()];
    const { id } = await openMcpSession(here.url, ADA);
    await ask(there, id, { body: rpc(1, 'ping') });

    const ended = await ask(there, id, { method: 'DELETE' });
    await eventually(async () => (await ask(here, id, { body: rpc(2, 'ping') })).status === 404);
    const unheard = await ask(elsewhere, id, { body: rpc(3, 'ping') });
    const late = await ask(await start(), id, { body: rpc(3, 'ping') });

    expect([ended.status, unheard.status, late.status]).toEqual([200, 404, 404]);
  });

  test('know the end of a session by the time that its DELETE is answered', async () => {
    const [here, there] = [await start(), await start()];
    const late: number[] = [];

    for (let turn = 0; turn < 20; turn += 1) {
      const { id } = await openMcpSession(here.url, ADA);
      // Every other session is known there.
      if (turn % 2 === 0) await ask(there, id, { body: rpc(1, 'ping') });
      await ask(here, id, { method: 'DELETE' });
      late.push((await ask(there, id, { body: rpc(2, 'ping') })).status);
    }

    // A request that arrives at the same moment may overtake the announcement. If the end were announced only after the answer, that would happen
    // every time that the session is known there.
    expect(late.filter((status) => status !== 404).length).toBeLessThan(5);
  });

  test('cancel a call at whichever process it runs', async () => {
    const held = createHeldTool();
    const tools = [...fixtureTools, held.tool];
    const [here, there] = [await start({ tools }), await start({ tools })];
    const { id } = await openMcpSession(here.url, ADA);
    const pending = ask(here, id, { body: callTool('long', 'hold') });
    await held.untilWaiting(1);

    const cancelled = await ask(there, id, {
      body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'long' } },
    });
    const answer = await pending;

    expect([cancelled.status, answer.status, answer.text]).toEqual([202, 202, '']);
    expect(there.lines.map(({ msg }) => msg)).toContain('cancellation forwarded');
    expect(held.aborted).toBe(1);
  });

  test('pass the response to an elicitation on to the process that sent it', async () => {
    // One process has read the token file since a token was added, the other has not.
    const tokens = { ...TOKENS, [YOUNG]: { userId: 'ada' } };
    const [here, there] = [await start({ tools: [confirm] }), await start({ tools: [confirm], tokens })];
    const said = { capabilities: { elicitation: {} }, clientInfo: { name: 'asked', version: '1' } };
    const opened = await send(`${here.url}/mcp`, {
      token: ADA,
      body: rpc(0, 'initialize', { protocolVersion: '2025-11-25', ...said }),
    });
    const id = opened.headers.get('mcp-session-id') ?? '';
    const headers = { 'Mcp-Session-Id': id, Authorization: `Bearer ${ADA}` };
    const stream = await openStream(`${here.url}/mcp`, { headers, body: callTool(1, 'confirm') });
    const { data = '' } = await stream.waitFor(
      (frame) => frame.data?.includes('elicitation/create') === true,
    );
    const question = JSON.parse(data) as { id: string };
    const reply = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: { sure: true } } };

    const foreign = await ask(there, id, { body: reply, token: BOB });
    const early = await ask(there, id, { body: reply, token: YOUNG });
    const taken = await ask(there, id, { body: reply });
    const answer = await stream.answerTo(1);

    expect([foreign.status, early.status, taken.status]).toEqual([404, 503, 202]);
    expect(early.headers.get('retry-after')).toBe('1');
    expect(answer).toMatchObject({ result: { content: [{ text: 'accept' }] } });
  });

  test('hold one stream for a session: the last GET takes it over, at whichever process it arrives', async () => {
    const [here, there] = [await start(), await start()];

    const { ends, statuses } = await takeOverStream(here, there);

    expect(ends).toEqual(['ended', 'ended']);
    expect(statuses).toEqual([200, 200, 200]);
  });

  test('resume a broken stream at another process: with the missed events, then new ones, up to the answer', async () => {
    const walk = createSteppedTool();
    const [here, there] = [await start({ tools: [walk.tool] }), await start({ tools: [walk.tool] })];
    const { id, headers } = await openMcpSession(here.url, ADA);
    const meta = { name: 'walk', arguments: {}, _meta: { progressToken: 'p' } };
    const opening = openStream(`${here.url}/mcp`, { headers, body: rpc(1, 'tools/call', meta) });
    const call = await walk.call();
    await call.step(2);
    const first = await opening;
    await eventually(() => first.messages().length === 2);
    const lastId = first.frames.findLast((frame) => frame.id !== undefined)?.id ?? '';
    first.close();
    await call.step();

    const back = { headers: { ...headers, 'Last-Event-ID': lastId } };
    const foreign = await ask(there, id, {
      token: BOB,
      headers: { 'Last-Event-ID': lastId, 'Mcp-Session-Id': id },
    });
    const second = await openStream(`${there.url}/mcp`, back);
    await call.step();
    await eventually(() => second.messages().length === 2);
    const third = await openStream(`${there.url}/mcp`, back);
    const secondEnd = await second.over();
    call.finish('there');
    const thirdEnd = await third.over();
    const nothing = third.frames.findLast((frame) => frame.id !== undefined)?.id ?? '';
    const after = await ask(there, id, { headers: { ...headers, 'Last-Event-ID': nothing } });

    expect([foreign.status, second.status, third.status, after.status]).toEqual([404, 200, 200, 204]);
    expect([secondEnd, thirdEnd]).toEqual(['ended', 'ended']);
    expect(second.messages()).toMatchObject([{ params: { progress: 3 } }, { params: { progress: 4 } }]);
    expect(third.messages()).toMatchObject([
      { params: { progress: 3 } },
      { params: { progress: 4 } },
      { id: 1, result: { content: [{ text: 'there' }] } },
    ]);
    expect(call.context.signal.aborted).toBe(false);
    expect(there.lines.filter(({ msg }) => msg === 'stream resumed')).toHaveLength(2);
  });

  describe('while SERVER_SECRET is being replaced', () => {
    /** Before the change, and at the step at which some processes have the next secret behind the old one and some in front of it. */
    const BEFORE = SECRET;
    const [BEHIND, IN_FRONT] = [`${SECRET},${NEXT}`, `${NEXT},${SECRET}`];

    testEach([
      ['behind the old one', BEHIND, IN_FRONT],
      ['not yet', BEFORE, IN_FRONT],
      ['in front of the old one', IN_FRONT, BEHIND],
    ])('resume a broken stream of a process that has the new secret %s', async (_where, one, other) => {
      const walk = createSteppedTool();
      const here = await startWith(one, { tools: [walk.tool] });
      const { headers } = await openMcpSession(here.url, ADA);
      const meta = { name: 'walk', arguments: {}, _meta: { progressToken: 'p' } };
      const opening = openStream(`${here.url}/mcp`, { headers, body: rpc(1, 'tools/call', meta) });
      const call = await walk.call();
      await call.step();
      const first = await opening;
      await eventually(() => first.messages().length === 1);
      const lastId = first.frames.findLast((frame) => frame.id !== undefined)?.id ?? '';
      first.close();
      call.finish('there');

      const there = await startWith(other, { tools: [walk.tool] });
      const second = await openStream(`${there.url}/mcp`, {
        headers: { ...headers, 'Last-Event-ID': lastId },
      });
      await second.over();

      expect(second.messages()).toMatchObject([{ id: 1, result: { content: [{ text: 'there' }] } }]);
    });

    testEach([
      ['behind the old one', BEHIND, IN_FRONT],
      ['not yet', BEFORE, IN_FRONT],
      ['in front of the old one', IN_FRONT, BEHIND],
    ])('know that a session ended at a process that has the new secret %s', async (_where, one, other) => {
      const here = await startWith(one);
      const { id } = await openMcpSession(here.url, ADA);
      const before = marks();

      await ask(here, id, { method: 'DELETE' });
      await eventually(() => marks() !== before);
      const late = await ask(await startWith(other), id, { body: rpc(1, 'ping') });

      expect(late.status).toBe(404);
    });

    test('hold one stream for a session, whichever secret comes first', async () => {
      const [here, there] = [await startWith(BEHIND), await startWith(IN_FRONT)];

      expect(await takeOverStream(here, there)).toMatchObject({ ends: ['ended', 'ended'] });
    });
  });

  test("continue a session's own stream at another process, and end it with a retry when its first process stops", async () => {
    const change: (() => void)[] = [];
    const changing: Feature = {
      name: 'changing',
      options: { capabilities: { prompts: { listChanged: true } } },
      register: (_server, { changes }) => void change.push(() => changes.promptsChanged()),
    };
    const [here, there] = [await start({ features: [changing] }), await start({ features: [changing] })];
    const { headers } = await openMcpSession(here.url, ADA);
    const first = await openStream(`${here.url}/mcp`, { headers });
    change[0]?.();
    const { id = '' } = await first.waitFor(({ data = '' }) => data.includes('list_changed'));
    first.close();

    const second = await openStream(`${there.url}/mcp`, { headers: { ...headers, 'Last-Event-ID': id } });
    change[0]?.();
    const later = await second.waitFor(({ data = '' }) => data.includes('list_changed'));
    await here.close();
    servers.splice(servers.indexOf(here), 1);
    const end = await second.over();
    const retry = second.frames.findLast((frame) => frame.retry !== undefined)?.retry;
    const third = await openStream(`${there.url}/mcp`, {
      headers: { ...headers, 'Last-Event-ID': later.id ?? '' },
    });
    change.at(-1)?.();
    await third.waitFor(({ data = '' }) => data.includes('list_changed'));
    third.close();

    expect([second.status, end, third.status]).toEqual([200, 'ended', 200]);
    expect(Number(retry)).toBeLessThan(1_100);
    expect(second.messages()).toHaveLength(1);
  });

  test('notify all sessions of a user, at every process, that a tool changed a list for that user, and nobody else', async () => {
    const unlock = defineTool({
      name: 'unlock',
      title: 'Unlock',
      description: 'Shows its user more tools.',
      input: z.object({}),
      run: (_input, { listChanged }) => {
        listChanged('tools');
        return 'More.';
      },
    });
    const [here, there] = [await start({ tools: [unlock] }), await start({ tools: [unlock] })];
    const session = await openMcpSession(here.url, ADA);
    const [own, other] = await Promise.all(
      [ADA, BOB].map(async (token) => {
        const { headers } = await openMcpSession(there.url, token);
        return openStream(`${there.url}/mcp`, { headers });
      }),
    );

    await session.post(callTool(1, 'unlock'));

    await own?.waitFor(({ data = '' }) => data.includes('notifications/tools/list_changed'));
    const before = other?.messages().length;
    await (await openMcpSession(here.url, BOB)).post(callTool(1, 'unlock'));
    await other?.waitFor(({ data = '' }) => data.includes('notifications/tools/list_changed'));
    expect([before, own?.messages().length, other?.messages().length]).toEqual([0, 1, 1]);
  });

  test('notify every subscriber of a change once, at whichever process it happens', async () => {
    const change: (() => void)[] = [];
    const changing: Feature = {
      name: 'changing',
      options: { capabilities: { prompts: { listChanged: true } } },
      register: (_server, { changes }) => void change.push(() => changes.promptsChanged()),
    };
    const [here, there] = [await start({ features: [changing] }), await start({ features: [changing] })];
    const streams = await Promise.all(
      [here, there].map(async ({ url }) => {
        const { headers } = await openMcpSession(url, ADA);
        return openStream(`${url}/mcp`, { headers });
      }),
    );
    const listening = await Promise.all(
      [here, there].map(async ({ url }) =>
        openStream(
          `${url}/mcp`,
          stateless(
            { method: 'subscriptions/listen', params: { notifications: { promptsListChanged: true } } },
            { token: ADA },
          ),
        ),
      ),
    );
    const heard = (): number[] =>
      [...streams, ...listening].map(
        (stream) =>
          stream.frames.filter(({ data = '' }) => data.includes('notifications/prompts/list_changed')).length,
      );
    await Promise.all(
      listening.map(async (stream) => stream.waitFor(({ data = '' }) => data.includes('acknowledged'))),
    );

    change[0]?.();
    await eventually(() => heard().every((times) => times > 0));
    change.at(-1)?.();
    await eventually(() => heard().every((times) => times > 1));

    expect(heard()).toEqual([2, 2, 2, 2]);
    for (const stream of [...streams, ...listening]) stream.close();
  });

  test('count failed authentications together', async () => {
    const env = { AUTH_FAILURES_PER_MINUTE: '6', TRUST_PROXY: 'true' };
    const [here, there] = [await start({ env }), await start({ env })];

    for (let count = 0; count < 6; count += 1) await guess(count % 2 === 0 ? here : there);

    let statuses: number[] = [];
    await eventually(async () => {
      statuses = [await guess(here), await guess(there)];
      return statuses.includes(429);
    });
    statuses = [await guess(here), await guess(there)];

    expect(statuses).toEqual([429, 429]);
  });

  test('count the calls of a user together', async () => {
    const env = { CALLS_PER_MINUTE: '60' };
    const [here, there] = [await start({ env }), await start({ env })];
    const { id } = await openMcpSession(here.url, ADA);
    const isLetIn = async (server: TestServer): Promise<boolean> =>
      !(await ask(server, id, { body: callTool(1, 'whoami') })).text.includes('call_limit');

    while (await isLetIn(here));
    await eventually(async () => !(await isLetIn(there)), { what: 'the limit to be known elsewhere' });
    const others = await ask(there, (await openMcpSession(there.url, BOB)).id, {
      token: BOB,
      body: callTool(1, 'whoami'),
    });

    expect(others.text).not.toContain('call_limit');
  });

  test('store nothing readable in Redis, and no key without an expiry', async () => {
    const [here, there] = [await start(), await start()];
    const session = await openSse(here.url, ADA);
    const { id, headers } = await openMcpSession(here.url, ADA);
    const stream = await openStream(`${here.url}/mcp`, { headers });
    const monitor = sandbox.spawn({
      command: 'redis-cli',
      args: [...redis.access, 'monitor'],
      cwd: await sandbox.folder(),
    });
    await waitFor('the monitor', () => monitor.stdout().includes('OK'));

    await send(`${there.url}/messages?sessionId=${session.id}`, {
      token: ADA,
      body: callTool('secret-id', 'echo_message', { message: 'secret-argument' }),
    });
    await session.answerTo('secret-id');
    await ask(there, id, { method: 'DELETE' });
    await waitFor('the mark of the end', () => /"SET" "mcp:mark:/i.test(monitor.stdout()));
    stream.close();
    session.close();

    const keys = redis.ask('keys', '*').split('\n');
    const seen = `${monitor.stdout()}${keys.join()}${redis.ask('pubsub', 'channels')}`.replaceAll('\\"', '"');
    expect(keys.length).toBeGreaterThan(1);
    expect(redis.lasting('*')).toEqual([]);
    for (const secret of [
      ADA,
      session.id,
      id,
      id.slice(0, 20),
      // With its quotes: three letters alone occur in sealed values, and in how the monitor prints bytes.
      '"ada"',
      'Lovelace',
      'secret',
      'whoami',
      SECRET,
    ])
      expect(seen).not.toContain(secret);
    expect(seen).toContain('PUBLISH');
  });

  test("send no command to Redis for calls, whether or not they are of this process's session", async () => {
    const [here, there] = [await start(), await start()];
    const { id } = await openMcpSession(here.url, ADA);
    for (const server of [here, there]) await ask(server, id, { body: rpc(0, 'ping') });
    const commands = (): number =>
      redis
        .ask('info', 'commandstats')
        .split('\n')
        .filter((line) => !/^cmdstat_(auth|ping|info|set|publish|pubsub|time)\b/.test(line))
        .reduce((sum, line) => sum + Number(/calls=(\d+)/.exec(line)?.[1] ?? 0), 0);
    const [before, publishedBefore] = [commands(), redis.given('publish')];

    for (let count = 0; count < 20; count += 1)
      for (const server of [here, there]) {
        await ask(server, id, { body: callTool(count, 'whoami') });
        await send(
          `${server.url}/mcp`,
          stateless({ method: 'tools/call', params: { name: 'whoami', arguments: {} } }, { token: ADA }),
        );
      }

    expect(commands() - before).toBe(0);
    // What users have used of their limit is published once a second, whatever the load.
    expect(redis.given('publish') - publishedBefore).toBeLessThan(20);
    expect(
      redis
        .ask('client', 'list')
        .split('\n')
        .filter((line) => !/cmd=(client|monitor)/.test(line)),
    ).toHaveLength(4);
  });

  // The last one, since it looks back at all the others.
  test('needed no other rights than those of a server', () => {
    expect(redis.denied()).toBe('');
  });
});
