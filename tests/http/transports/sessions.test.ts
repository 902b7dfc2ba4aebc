/** Sessions belong to a user: who may use them, as whom, how many there may be, and when they end. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool, type HeldTool } from '../../support/held-tool.ts';
import {
  type Answer,
  callTool,
  eventually,
  initialize,
  openMcpSession,
  openRaw,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { ADA, BOB, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

const PHONE = 'tok_ada_phone_0123456789';
let server: TestServer;
let held: HeldTool;
afterEach(async () => {
  held.release();
  await server.close();
});

/** Starts a server; Ada has a second token with another name and fewer scopes. */
async function start(env: Record<string, string> = {}): Promise<void> {
  held = createHeldTool();
  server = await startTestServer({
    env,
    tools: [...fixtureTools, held.tool],
    tokens: { ...TOKENS, [PHONE]: { userId: 'ada', name: 'Ada on the phone', scopes: ['greet'] } },
  });
}

/** Tries to open a session of Streamable HTTP. */
const open = (token: string): Promise<Answer> => send(`${server.url}/mcp`, { token, body: initialize() });

/** The parts of an answer that must be the same for another user's session and an unknown one. */
const shapeOf = ({ status, body, headers }: Answer): unknown => [
  status,
  body,
  [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
];

describe("another user's session", () => {
  test('gets the same 404 as an unknown one with every method on /mcp, and stays open', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const verbs = [
      { body: callTool(1, 'whoami') },
      { method: 'GET' },
      { method: 'DELETE' },
      { body: initialize() },
    ];
    const ask = (id: string): Promise<Answer[]> =>
      Promise.all(
        verbs.map(async (verb) =>
          send(`${server.url}/mcp`, { token: BOB, headers: { 'Mcp-Session-Id': id }, ...verb }),
        ),
      );

    const foreign = await ask(session.id);
    const unknown = await ask(crypto.randomUUID());
    const after = await session.post(rpc(1, 'ping'));

    expect(foreign.map(shapeOf)).toEqual(unknown.map(shapeOf));
    expect(foreign.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(after.status).toBe(200);
  });

  test('gets the same 404 as an unknown one on /messages, and nothing on its stream', async () => {
    await start();
    const session = await openSse(server.url, ADA);
    const post = (id: string): Promise<Answer> =>
      send(`${server.url}/messages?sessionId=${id}`, { token: BOB, body: callTool(1, 'whoami') });

    const foreign = await post(session.id);
    const unknown = await post(crypto.randomUUID());
    await session.post(rpc('mine', 'ping'));
    await session.answerTo('mine');
    session.close();

    expect(shapeOf(foreign)).toEqual(shapeOf(unknown));
    expect(foreign.status).toBe(404);
    expect(session.messages()).toHaveLength(1);
  });

  test('is 404 for a cancellation of its calls, which keep running', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const pending = session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    const answer = await send(`${server.url}/mcp`, {
      token: BOB,
      headers: { 'Mcp-Session-Id': session.id },
      body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    });
    held.release();

    expect(answer.status).toBe(404);
    expect((await pending).body).toMatchObject({ result: { content: [{ text: 'held' }] } });
  });
});

describe('a call runs as the user of its own token', () => {
  test('in a Streamable HTTP session that another token of the user opened', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const asPhone = { headers: { ...session.headers, Authorization: `Bearer ${PHONE}` } };

    const [desk, phone, list, refused] = [
      await session.post(callTool(1, 'whoami')),
      await session.post(callTool(2, 'whoami'), asPhone),
      await session.post(rpc(3, 'tools/list'), asPhone),
      await session.post(callTool(4, 'echo_message', { message: 'x' }), asPhone),
    ];

    expect(desk.body).toMatchObject({
      result: { structuredContent: { userId: 'ada', name: 'Ada Lovelace' } },
    });
    expect(phone.body).toMatchObject({
      result: { structuredContent: { userId: 'ada', name: 'Ada on the phone', scopes: ['greet'] } },
    });
    expect(list.text).not.toContain('echo_message');
    expect(refused.body).toMatchObject({ result: { isError: true } });
    expect(refused.text).toContain('insufficient_scope');
  });

  test('in an HTTP+SSE session that another token of the user opened', async () => {
    await start();
    const session = await openSse(server.url, PHONE);

    await session.post(callTool(1, 'whoami'));
    await session.post(callTool(2, 'whoami'), { token: ADA });
    const [phone, desk] = [await session.answerTo(1), await session.answerTo(2)];
    session.close();

    expect(phone).toMatchObject({
      result: { structuredContent: { name: 'Ada on the phone', transport: 'sse' } },
    });
    expect(desk).toMatchObject({ result: { structuredContent: { name: 'Ada Lovelace' } } });
  });
});

describe('the limit of sessions per user', () => {
  test('counts all transports together, is 429 with Retry-After, and does not affect other users', async () => {
    await start({ MAX_SESSIONS_PER_USER: '3' });
    const session = await openMcpSession(server.url, ADA);
    const stream = await openStream(`${server.url}/mcp`, { headers: session.headers });
    const sse = await openSse(server.url, PHONE);
    const listening = await openStream(
      `${server.url}/mcp`,
      stateless(
        { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } },
        { token: ADA },
      ),
    );

    const refused = await Promise.all([
      open(ADA),
      send(`${server.url}/sse`, { token: ADA }),
      send(
        `${server.url}/mcp`,
        stateless(
          { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } },
          { token: ADA },
        ),
      ),
    ]);
    const other = await open(BOB);
    stream.close();
    sse.close();
    listening.close();

    expect(listening.status).toBe(200);
    expect(refused.map(({ status }) => status)).toEqual([429, 429, 429]);
    expect(refused.map(({ headers }) => Number(headers.get('retry-after')) > 0)).toEqual([true, true, true]);
    expect(refused[0]?.body).toMatchObject({ id: 0, error: { data: { error: 'too_many_sessions' } } });
    expect(other.status).toBe(200);
  });

  test('does not count requests without a session', async () => {
    await start({ MAX_SESSIONS_PER_USER: '1' });
    const session = await openMcpSession(server.url, ADA);

    const answers = await Promise.all([
      session.post(rpc(1, 'ping')),
      send(`${server.url}/mcp`, stateless({ method: 'tools/list' }, { token: ADA })),
      send(`${server.url}/tools`, { token: ADA }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('never locks out a client that opens a session for each call and closes none', async () => {
    await start({ MAX_SESSIONS_PER_USER: '2' });
    const first = await openMcpSession(server.url, ADA);

    const opened = [];
    for (let index = 0; index < 5; index += 1) opened.push(await open(ADA));
    const evicted = await first.post(rpc(1, 'ping'));

    expect(opened.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(evicted.status).toBe(404);
  });

  test('is the total limit while authentication is off, where all callers are one user', async () => {
    await start({ AUTH_ENABLED: 'false', MAX_SESSIONS_PER_USER: '1', MAX_SESSIONS: '2' });
    const [one, other] = [await openMcpSession(server.url, ADA), await openMcpSession(server.url, BOB)];

    const answers = [await one.post(rpc(1, 'ping')), await other.post(rpc(1, 'ping'))];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('frees a place when a client abandons its SSE stream', async () => {
    await start({ MAX_SESSIONS_PER_USER: '1' });
    const connection = await openRaw(server.url);
    connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
    await connection.waitFor(/sessionId=/);
    const before = await open(ADA);

    connection.socket.resetAndDestroy();

    expect(before.status).toBe(429);
    await eventually(async () => (await open(ADA)).status === 200);
  });

  test('frees a place when a client leaves its subscription', async () => {
    await start({ MAX_SESSIONS_PER_USER: '1' });
    const listening = await openStream(
      `${server.url}/mcp`,
      stateless(
        { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } },
        { token: ADA },
      ),
    );
    const before = await open(ADA);

    listening.close();

    expect(before.status).toBe(429);
    await eventually(async () => (await open(ADA)).status === 200);
  });

  test('is not used up by requests that open no session', async () => {
    await start({ MAX_SESSIONS_PER_USER: '1' });
    const bodies = [rpc(1, 'initialize', {}), rpc(1, 'ping'), '{', [initialize()]];
    for (const body of bodies) await send(`${server.url}/mcp`, { token: ADA, body });
    await send(`${server.url}/sse`, { token: ADA, method: 'POST' });

    const answer = await open(ADA);

    expect(answer.status).toBe(200);
  });
});

test('the total limit of sessions is 503 with Retry-After while all are in use, and DELETE frees a place', async () => {
  await start({ MAX_SESSIONS: '2' });
  const session = await openMcpSession(server.url, ADA);
  const stream = await openStream(`${server.url}/mcp`, { headers: session.headers });
  const sse = await openSse(server.url, ADA);

  const refused = await Promise.all([open(BOB), send(`${server.url}/sse`, { token: BOB })]);
  await send(`${server.url}/mcp`, { headers: session.headers, method: 'DELETE' });
  const after = await open(BOB);
  stream.close();
  sse.close();

  expect(refused.map(({ status }) => status)).toEqual([503, 503]);
  expect(refused.map(({ headers }) => Number(headers.get('retry-after')) > 0)).toEqual([true, true]);
  expect(refused[0]?.body).toMatchObject({ error: { data: { error: 'server_full' } } });
  expect(after.status).toBe(200);
});

test('an idle session is closed; one with an open stream or a call in flight is not', async () => {
  await start({ SESSION_IDLE_SECONDS: '1', SSE_KEEPALIVE_SECONDS: '1' });
  const idle = await openMcpSession(server.url, ADA);
  const [streaming, calling] = [await openMcpSession(server.url, ADA), await openMcpSession(server.url, ADA)];
  const stream = await openStream(`${server.url}/mcp`, { headers: streaming.headers });
  const pending = openStream(`${server.url}/mcp`, { headers: calling.headers, body: callTool(1, 'hold') });
  const sse = await openSse(server.url, ADA);
  await held.untilWaiting(1);

  // A GET that is refused for its Accept header is no use of the session, so that the session can become idle meanwhile.
  const ask = { method: 'GET', headers: { ...idle.headers, Accept: 'application/json' } };
  const before = await send(`${server.url}/mcp`, ask);
  await eventually(async () => (await send(`${server.url}/mcp`, ask)).status === 404);
  const alive = await streaming.post(rpc(1, 'ping'));
  await sse.post(rpc(1, 'ping'));
  await sse.answerTo(1);
  // It has become a stream by now, or does so before the call ends.
  const streamed = await pending;
  held.release();
  const answer = await streamed.answerTo(1);
  stream.close();
  sse.close();

  expect(before.status).toBe(406);
  expect(alive.status).toBe(200);
  expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
});
