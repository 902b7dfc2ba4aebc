/** A token that is removed, disabled or expires stops working at once, and its open streams end. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool, type HeldTool } from '../../support/held-tool.ts';
import {
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
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TokenFileContent,
} from '../../support/start-server.ts';

const SECOND = 'tok_ada_second_0123456789';
const ada = { userId: 'ada', name: 'Ada' };
const bob = { userId: 'bob', name: 'Bob' };

/** How soon the streams of a revoked token must be closed; the file is checked twice a second, streams once. Milliseconds. */
const SOON_MS = 2_500;

let server: TestServer;
let held: HeldTool;
afterEach(async () => {
  held.release();
  await server.close();
});

/** Starts a server with these tokens. */
async function start(tokens: TokenFileContent): Promise<void> {
  held = createHeldTool();
  server = await startTestServer({ tokens, tools: [...fixtureTools, held.tool] });
}

/** The status of a request with this token. */
const statusOf = async (token: string): Promise<number> =>
  (await send(`${server.url}/tools`, { token })).status;

/** A subscription in the stateless revision. */
const listen = stateless({
  method: 'subscriptions/listen',
  params: { notifications: { toolsListChanged: true } },
});

describe.each([
  ['removed', (): TokenFileContent => ({ [BOB]: bob }), /revoked/],
  ['disabled', (): TokenFileContent => ({ [ADA]: { ...ada, disabled: true }, [BOB]: bob }), /disabled/],
  [
    'given an expiry in the past',
    (): TokenFileContent => ({ [ADA]: { ...ada, expiresAt: '2020-01-01T00:00:00Z' }, [BOB]: bob }),
    /expired/,
  ],
])('a token that is %s', (_how, after, words) => {
  test('is refused from then on, and its streams and calls on every transport end', async () => {
    await start({ [ADA]: ada, [BOB]: bob });
    const session = await openMcpSession(server.url, ADA, '2025-06-18');
    const bobs = await openSse(server.url, BOB);
    const streams = [
      await openSse(server.url, ADA),
      await openStream(`${server.url}/mcp`, { headers: session.headers }),
      await openStream(`${server.url}/mcp`, { ...listen, token: ADA }),
    ];
    const pending = session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    await server.writeTokens(after());
    const ends = await Promise.all(streams.map(async (stream) => stream.over(SOON_MS)));
    const answers = await Promise.all([
      send(`${server.url}/mcp`, { headers: session.headers, body: rpc(2, 'ping') }),
      send(`${server.url}/mcp`, { headers: session.headers }),
      send(`${server.url}/mcp`, { headers: session.headers, method: 'DELETE' }),
      send(`${server.url}/sse`, { token: ADA }),
      send(`${server.url}/mcp`, { token: ADA, body: initialize() }),
      send(`${server.url}/mcp`, { ...listen, token: ADA }),
    ]);
    await bobs.post(rpc(1, 'ping'));
    await bobs.answerTo(1);
    bobs.close();

    expect(ends).toEqual(['ended', 'ended', 'ended']);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401]);
    for (const { body } of answers)
      expect(body).toMatchObject({ error: 'invalid_token', error_description: expect.stringMatching(words) });
    // The client that waits for the call learns why it has no result.
    expect(await pending).toMatchObject({ status: 401, body: { id: 1, error: REVOKED } });
    expect(held.aborted).toBe(1);
  });
});

test('a stream ends when its token expires, without a change of the file', async () => {
  const expiresAt = new Date(Date.now() + 1_500).toISOString();
  await start({ [ADA]: { ...ada, expiresAt } });
  const stream = await openSse(server.url, ADA);

  const end = await stream.over(1_500 + SOON_MS);

  expect(end).toBe('ended');
  // Its client may have refreshed the token, and must not wait as long as a retry of an earlier shutdown says.
  expect(stream.frames.at(-1)).toEqual({ retry: '1000' });
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  expect(await statusOf(ADA)).toBe(401);
});

/** The error of a call whose token is not valid any more. */
const REVOKED = {
  code: -32_001,
  // If the token has merely expired, as that of a sign-in does, the client has obtained another by itself.
  message: expect.stringMatching(/send it again if that is safe.*sign in again or ask for a new one/),
  data: { error: 'invalid_token' },
};

/** Starts with two tokens of one user. */
const startWithTwo = (): Promise<void> => start({ [ADA]: ada, [SECOND]: ada });

/** Removes the first of the two tokens. */
const revoke = (): Promise<void> => server.writeTokens({ [SECOND]: ada });

/** The header with a token. */
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('a call in flight ends when its own token is revoked, though the user has another one', () => {
  test.each([
    // A later revision would soon make it a stream.
    {
      form: 'JSON',
      revision: '2025-06-18',
      steps: 0,
      status: 401,
      type: 'application/json',
      challenge: /error="invalid_token"/,
    },
    {
      form: 'a stream',
      revision: '2025-11-25',
      steps: 1,
      status: 200,
      type: 'text/event-stream',
      challenge: /^$/,
    },
  ])(
    'in a session that the other token opened, answered as $form',
    async ({ revision, steps, status, type, challenge }) => {
      await startWithTwo();
      const session = await openMcpSession(server.url, SECOND, revision);
      const params = { name: 'hold', arguments: { steps }, _meta: { progressToken: 'p' } };
      const pending = session.post(rpc(1, 'tools/call', params), { headers: bearer(ADA) });
      await held.untilWaiting(1);
      const kept = session.post(callTool(2, 'hold'));
      await held.untilWaiting(2);

      await revoke();
      const answer = await pending;
      held.release();

      expect(held.aborted).toBe(1);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
      expect(answer.headers.get('www-authenticate') ?? '').toMatch(challenge);
      expect(answer.text).toMatch(/"id":1,"error":\{"code":-32001.*"invalid_token"/);
      expect(answer.text).not.toContain('held');
      expect(await kept).toMatchObject({
        status: 200,
        body: { id: 2, result: { content: [{ text: 'held' }] } },
      });
    },
  );

  test('in an HTTP+SSE session that the other token opened', async () => {
    await startWithTwo();
    const sse = await openSse(server.url, SECOND);
    await sse.post(callTool(1, 'hold'), { token: ADA });
    await sse.post(callTool(2, 'hold'));
    await held.untilWaiting(2);

    await revoke();
    const answer = await sse.answerTo(1);
    held.release();
    const kept = await sse.answerTo(2);
    sse.close();

    expect(held.aborted).toBe(1);
    expect(answer).toMatchObject({ id: 1, error: REVOKED });
    expect(kept).toMatchObject({ result: { content: [{ text: 'held' }] } });
  });

  test.each(['plain', 'not plain'])('as a stateless call that is %s', async (kind) => {
    await startWithTwo();
    // The SDK serves a call with anything else in its _meta.
    const meta =
      kind === 'plain' ? {} : { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
    const call = stateless({ method: 'tools/call', params: { name: 'hold', arguments: {}, _meta: meta } });
    const pending = send(`${server.url}/mcp`, { ...call, headers: { ...call.headers, ...bearer(ADA) } });
    const kept = send(`${server.url}/mcp`, { ...call, headers: { ...call.headers, ...bearer(SECOND) } });
    await held.untilWaiting(2);

    await revoke();
    const answer = await pending;
    held.release();

    expect(held.aborted).toBe(1);
    expect(answer).toMatchObject({ status: 401, body: { error: REVOKED } });
    expect((await kept).text).toContain('held');
  });

  test('when the SDK serves the call', async () => {
    held = createHeldTool();
    const feature = { name: 'nothing' };
    server = await startTestServer({
      tokens: { [ADA]: ada, [SECOND]: ada },
      tools: [held.tool],
      features: [feature],
    });
    const session = await openMcpSession(server.url, SECOND, '2025-06-18');
    const headers = bearer(ADA);
    const pending = session.post(callTool(1, 'hold'), { headers });
    await held.untilWaiting(1);

    await revoke();

    expect(await pending).toMatchObject({ status: 401, body: { id: 1, error: REVOKED } });
    expect(held.aborted).toBe(1);
  });
});

test("a user's other token keeps the sessions, and the streams that it opened itself", async () => {
  await start({ [ADA]: ada, [SECOND]: ada });
  const session = await openMcpSession(server.url, ADA);
  const sse = await openSse(server.url, SECOND);
  const old = await openStream(`${server.url}/mcp`, { headers: session.headers });

  await server.writeTokens({ [SECOND]: ada });
  await old.over(SOON_MS);
  const headers = { ...session.headers, Authorization: `Bearer ${SECOND}` };
  const answer = await session.post(callTool(1, 'whoami'), { headers });
  const fresh = await openStream(`${server.url}/mcp`, { headers });
  await sse.post(rpc(1, 'ping'));
  await sse.answerTo(1);
  fresh.close();
  sse.close();

  expect(answer.body).toMatchObject({ result: { structuredContent: { userId: 'ada' } } });
  expect(fresh.status).toBe(200);
});

test('a stream ends with its token, though another token of the user has the same id', async () => {
  await start({ [ADA]: ada, [BOB]: bob });
  const stream = await openSse(server.url, ADA);

  await server.writeTokens({ [`sha256:${digestToken(ADA).slice(0, 8)}${'0'.repeat(56)}`]: ada, [BOB]: bob });

  expect(await stream.over(SOON_MS)).toBe('ended');
});

test('a token is refused before its notBefore, and accepted from then on', async () => {
  await start({ [BOB]: bob, [ADA]: { ...ada, notBefore: new Date(Date.now() + 800).toISOString() } });

  const before = await statusOf(ADA);
  await eventually(async () => (await statusOf(ADA)) === 200);

  expect(before).toBe(401);
});

test('a new token is accepted within two seconds after it was written', async () => {
  await start({ [BOB]: bob });

  const before = await statusOf(ADA);
  await server.writeTokens({ [BOB]: bob, [ADA]: ada });
  await eventually(async () => (await statusOf(ADA)) === 200, { deadlineMs: 2_000 });

  expect(before).toBe(401);
});

test('an answer after the end of a stream that nobody reads does no harm to the server', async () => {
  await start({ [ADA]: ada, [BOB]: bob });
  const responses: ServerResponse[] = [];
  const note = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.url === '/sse') responses.push(response);
  };
  subscribe('http.server.request.start', note);
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  const id = /sessionId=([0-9a-f-]+)/.exec(await connection.waitFor(/sessionId=[0-9a-f-]{36}/))?.[1];
  unsubscribe('http.server.request.start', note);
  const post = (body: object) => send(`${server.url}/messages?sessionId=${id}`, { token: ADA, body });
  await post(callTool('last', 'hold'));
  await held.untilWaiting(1);
  connection.socket.pause();
  // The buffers of the operating system fill first; then a little waits in the server, too little for the stream to be cut.
  const message = 'x'.repeat(100_000);
  const waiting = (): number => responses[0]?.writableLength ?? 0;
  for (let call = 0; waiting() === 0 && call < 500; call += 1)
    await post(callTool(call, 'echo_message', { message }));

  // Nothing has been cut: the stream ends because its token is revoked.
  const waitingBefore = waiting();
  await server.writeTokens({ [BOB]: bob });
  await eventually(() => responses[0]?.writableEnded === true);
  held.release();
  await eventually(() => held.waiting === 0);
  const after = await statusOf(BOB);
  connection.socket.destroy();

  expect(waitingBefore).toBeGreaterThan(0);
  expect(after).toBe(200);
  expect(server.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('a revoked token is refused on a connection on which it was accepted before', async () => {
  await start({ [ADA]: ada, [BOB]: bob });
  const connection = await openRaw(server.url);
  const ask = `GET /tools HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`;
  connection.write(ask);
  await connection.waitFor(/HTTP\/1\.1 200 [^]*\r\n\r\n/);

  await server.writeTokens({ [BOB]: bob });
  await eventually(async () => (await statusOf(ADA)) === 401);
  connection.write(ask);
  const received = await connection.waitFor(/HTTP\/1\.1 401 /);
  connection.socket.destroy();

  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
});
