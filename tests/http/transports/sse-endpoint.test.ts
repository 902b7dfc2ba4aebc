/** HTTP+SSE as revision 2024-11-05 requires it: the endpoint event first, 202 to a POST, and answers only on the stream. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { REFUSED } from '../../../src/http/refusal-event.ts';
import { createHeldTool } from '../../support/held-tool.ts';
import { PACKAGE } from '../../support/package.ts';
import { callTool, eventually, initialize, openRaw, rpc, send, sendRaw } from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const held = createHeldTool();
let server: TestServer;
let messages: string;
beforeAll(async () => {
  server = await startTestServer({
    env: { SSE_KEEPALIVE_SECONDS: '1' },
    tools: [...fixtureTools, held.tool],
  });
  messages = `${server.url}/messages`;
});
afterEach(() => held.release());
afterAll(async () => {
  await server.close();
});

/** Disconnects the client as soon as its request begins. */
const cut = (message: unknown): void => void (message as { response: ServerResponse }).response.destroy();

describe('GET /sse', () => {
  test('sends the endpoint event first, with headers that keep proxies from buffering the stream', async () => {
    const stream = await openStream(`${server.url}/sse`, { token: ADA });
    await stream.waitFor(() => true);
    stream.close();

    expect(stream.frames[0]).toEqual({
      event: 'endpoint',
      data: expect.stringMatching(/^\/messages\?sessionId=[0-9a-f-]{36}$/),
    });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.headers.get('x-content-type-options')).toBe('nosniff');
    expect(stream.headers.get('content-length')).toBeNull();
  });

  test('sends heartbeats as comments, never as events', async () => {
    const session = await openSse(server.url, ADA);

    await session.waitFor(({ comment }) => comment === 'keepalive', 2_500);
    session.close();

    expect(session.frames.filter(({ event }) => event !== undefined)).toHaveLength(1);
  });

  test('gives every stream a session of its own', async () => {
    const [one, two] = await Promise.all([openSse(server.url, ADA), openSse(server.url, ADA)]);

    await one.post(rpc(1, 'ping'));
    await one.answerTo(1);
    one.close();
    two.close();

    expect(one.id).not.toBe(two.id);
    expect(two.messages()).toEqual([]);
  });

  test('opens no stream when the client disconnects before the transport is loaded', async () => {
    const refusals: unknown[] = [];
    const noteRefusal = (refusal: unknown): void => void refusals.push(refusal);
    subscribe(REFUSED, noteRefusal);
    subscribe('http.server.request.start', cut);
    const connection = await openRaw(server.url);
    connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
    await eventually(() => refusals.length > 0);
    unsubscribe('http.server.request.start', cut);
    unsubscribe(REFUSED, noteRefusal);

    expect(refusals).toMatchObject([{ code: 'client_gone' }]);
  });

  test.each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])('is 405 with Allow as %s', async (method) => {
    const answer = await send(`${server.url}/sse`, { token: ADA, method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('POST /messages', () => {
  test('is 202, and the answer comes on the stream with the same id', async () => {
    const session = await openSse(server.url, ADA);

    const posted = await session.post(callTool('an id', 'echo_message', { message: 'a\nb\u2028c' }));
    const answer = await session.answerTo('an id');
    session.close();

    expect([posted.status, posted.text]).toEqual([202, 'Accepted']);
    expect(answer).toEqual({
      jsonrpc: '2.0',
      id: 'an id',
      result: expect.objectContaining({ content: [{ type: 'text', text: 'a\nb\u2028c' }] }),
    });
  });

  test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'negotiates revision %s',
    async (version) => {
      const session = await openSse(server.url, ADA);

      await session.post(initialize(version));
      const answer = await session.answerTo(0);
      session.close();

      expect(answer).toMatchObject({
        result: { protocolVersion: version, serverInfo: { name: PACKAGE.name } },
      });
    },
  );

  test('offers the latest revision with sessions to a client that asks for an unknown one', async () => {
    const session = await openSse(server.url, ADA);

    await session.post(initialize('1999-01-01'));
    const answer = await session.answerTo(0);
    session.close();

    expect(answer).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  test('serves requests before any initialize', async () => {
    const session = await openSse(server.url, ADA);

    await session.post(callTool(1, 'get_greeting'));
    await session.post(rpc(2, 'tools/list'));
    const answers = await Promise.all([session.answerTo(1), session.answerTo(2)]);
    session.close();

    expect(answers).toMatchObject([
      { result: { content: [{ text: 'Hello, Ada Lovelace!' }] } },
      { result: { tools: [{ name: 'get_greeting' }, {}, {}, {}] } },
    ]);
  });

  test.each([
    ['without params', rpc(9, 'initialize')],
    ['with empty params', rpc(9, 'initialize', {})],
    [
      'with a version that is no string',
      rpc(9, 'initialize', { protocolVersion: 1, capabilities: {}, clientInfo: {} }),
    ],
    ['without clientInfo', rpc(9, 'initialize', { protocolVersion: '2024-11-05', capabilities: {} })],
  ])('answers a malformed initialize, %s, with -32602 on the stream', async (_what, body) => {
    const session = await openSse(server.url, ADA);

    const posted = await session.post(body);
    const answer = await session.answerTo(9);
    session.close();

    expect(posted.status).toBe(202);
    expect(answer).toMatchObject({ id: 9, error: { code: -32_602 } });
  });

  test('answers an unknown method with -32601 and wrong params with -32602 on the stream', async () => {
    const session = await openSse(server.url, ADA);

    await session.post(rpc(1, 'no/such/method'));
    await session.post(rpc(2, 'tools/call', { arguments: {} }));
    const answers = await Promise.all([session.answerTo(1), session.answerTo(2)]);
    session.close();

    expect(answers).toMatchObject([{ error: { code: -32_601 } }, { error: { code: -32_602 } }]);
  });

  test.each([
    ['no JSON', '{', -32_700],
    ['no message', '{}', -32_600],
    ['a batch', [rpc(1, 'ping')], -32_600],
    ['an empty batch', [], -32_600],
    ['an id of null', rpc(null, 'ping'), -32_600],
  ])('refuses %s with 400 and sends nothing on the stream', async (_what, body, code) => {
    const session = await openSse(server.url, ADA);

    const posted = await session.post(body);
    await session.post(rpc('after', 'ping'));
    await session.answerTo('after');
    session.close();

    expect([posted.status, posted.body]).toEqual([
      400,
      expect.objectContaining({ id: null, error: expect.objectContaining({ code }) }),
    ]);
    expect(session.messages()).toHaveLength(1);
  });

  test('refuses an id that is in flight, and still answers the first call', async () => {
    const session = await openSse(server.url, ADA);
    await session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    const second = await session.post(callTool(1, 'get_greeting'));
    held.release();
    const answer = await session.answerTo(1);
    session.close();

    expect([second.status, second.body]).toEqual([
      400,
      expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -32_600 }) }),
    ]);
    expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
  });

  test('accepts a cancellation: the call gets no answer and its id is free', async () => {
    const session = await openSse(server.url, ADA);
    const abortedBefore = held.aborted;
    await session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await eventually(() => held.aborted === abortedBefore + 1);
    await session.post(rpc(1, 'ping'));
    const answer = await session.answerTo(1);
    session.close();

    expect(answer).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(session.messages()).toHaveLength(1);
  });

  test('sends progress on the stream', async () => {
    const session = await openSse(server.url, ADA);
    const params = { name: 'hold', arguments: { steps: 2 }, _meta: { progressToken: 0 } };

    await session.post(rpc(1, 'tools/call', params));
    await session.waitFor(({ data = '' }) => data.includes('step 2'));
    held.release();
    await session.answerTo(1);
    session.close();

    expect(session.messages()).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 0, progress: 1 } },
      { method: 'notifications/progress', params: { progressToken: 0, progress: 2 } },
      { id: 1 },
    ]);
  });

  test('is 404 with the id once the stream is closed', async () => {
    const session = await openSse(server.url, ADA);
    session.close();

    await eventually(async () => (await session.post(rpc(3, 'ping'))).status !== 202);
    const answer = await session.post(rpc(3, 'ping'));

    expect([answer.status, answer.body]).toEqual([
      404,
      expect.objectContaining({
        id: 3,
        error: expect.objectContaining({ data: { error: 'session_not_found' } }),
      }),
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'x', '%00', '%zz', '%F0%9F'])(
    'is 404 for sessionId=%s',
    async (id) => {
      const answer = await send(`${messages}?sessionId=${id}`, { token: ADA, body: rpc(3, 'ping') });

      expect([answer.status, answer.body]).toEqual([404, expect.objectContaining({ id: 3 })]);
    },
  );

  test('is 400 without exactly one sessionId, even if only one session is open', async () => {
    const session = await openSse(server.url, ADA);
    const queries = [
      '',
      '?',
      '?sessionId=',
      '?sessionId',
      `?sessionId=${session.id}&sessionId=${session.id}`,
      `?sessionId=x&sessionId=${session.id}`,
      `?sessionid=${session.id}`,
      `?sessionId[]=${session.id}`,
    ];

    const answers = await Promise.all(
      queries.map(async (query) => send(`${messages}${query}`, { token: ADA, body: rpc(3, 'ping') })),
    );
    session.close();

    expect(answers.map(({ status }) => status)).toEqual(queries.map(() => 400));
    expect(answers[0]?.body).toMatchObject({ id: 3, error: { data: { error: 'session_required' } } });
  });

  test('is 404 for a session of Streamable HTTP, as /mcp is for one of HTTP+SSE', async () => {
    const sse = await openSse(server.url, ADA);
    const opened = await send(`${server.url}/mcp`, { token: ADA, body: initialize() });
    const streamable = opened.headers.get('mcp-session-id') ?? '';

    const answers = await Promise.all([
      send(`${messages}?sessionId=${streamable}`, { token: ADA, body: rpc(1, 'ping') }),
      send(`${server.url}/mcp`, { token: ADA, headers: { 'Mcp-Session-Id': sse.id }, body: rpc(1, 'ping') }),
      send(`${server.url}/mcp`, { token: ADA, headers: { 'Mcp-Session-Id': sse.id }, method: 'DELETE' }),
    ]);
    sse.close();

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  test.each(['HEAD', 'GET', 'PUT', 'DELETE', 'OPTIONS'])('is 405 with Allow as %s', async (method) => {
    const answer = await send(messages, { token: ADA, method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

test('a client that disconnects aborts its calls', async () => {
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  const received = await connection.waitFor(/sessionId=[0-9a-f-]{36}/);
  const id = /sessionId=([0-9a-f-]{36})/.exec(received)?.[1] ?? '';
  const abortedBefore = held.aborted;
  await send(`${messages}?sessionId=${id}`, { token: ADA, body: callTool(1, 'hold') });
  await held.untilWaiting(1);

  connection.socket.resetAndDestroy();
  await eventually(() => held.waiting === 0);

  expect(held.aborted).toBe(abortedBefore + 1);
});

describe('with SSE_ENABLED=false', () => {
  test('/sse and /messages are 404', async () => {
    const without = await startTestServer({ env: { SSE_ENABLED: 'false' } });

    const answers = await Promise.all([
      send(`${without.url}/sse`, { token: ADA }),
      send(`${without.url}/messages?sessionId=x`, { token: ADA, body: rpc(1, 'ping') }),
      sendRaw(without.url, ['POST /sse HTTP/1.1', 'Host: localhost']),
    ]);
    await without.close();

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(answers[0]?.body).toMatchObject({
      error: 'not_found',
      error_description: 'Nothing is served at this path. MCP clients use /mcp; GET / tells more.',
    });
  });
});
