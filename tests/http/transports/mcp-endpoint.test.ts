/** Streamable HTTP in the revisions with sessions: the life of a session, its streams, and requests without a session. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool } from '../../support/held-tool.ts';
import { PACKAGE } from '../../support/package.ts';
import {
  callTool,
  eventually,
  initialize,
  openMcpSession,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openStream } from '../../support/sse-reader.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../../support/start-server.ts';
import type { Feature } from '../../../src/mcp/feature.ts';

const held = createHeldTool();
let announceChange = (): void => undefined;
/** Lets the tests announce changes of the list of tools. */
const changing: Feature = {
  name: 'changing',
  options: { capabilities: { tools: { listChanged: true } } },
  register: (_server, { changes }) => {
    announceChange = () => changes.toolsChanged();
  },
};
let server: TestServer;
let mcp: string;
beforeAll(async () => {
  server = await startTestServer({
    env: { SSE_KEEPALIVE_SECONDS: '1' },
    tools: [...fixtureTools, held.tool],
    features: [changing],
  });
  mcp = `${server.url}/mcp`;
});
afterEach(() => held.release());
afterAll(async () => {
  await server.close();
});

describe('a session', () => {
  test('lives from initialize to DELETE', async () => {
    const opened = await send(mcp, { token: ADA, body: initialize('2025-11-25', 'first') });
    const headers = { 'Mcp-Session-Id': opened.headers.get('mcp-session-id') ?? '' };
    const initialized = await send(mcp, {
      token: ADA,
      headers,
      body: { jsonrpc: '2.0', method: 'notifications/initialized' },
    });
    const called = await send(mcp, { token: ADA, headers, body: callTool(1, 'get_greeting') });
    const deleted = await send(mcp, { token: ADA, headers, method: 'DELETE' });
    const after = await send(mcp, { token: ADA, headers, body: callTool(2, 'get_greeting') });
    const again = await send(mcp, { token: ADA, headers, method: 'DELETE' });

    expect(opened.body).toMatchObject({
      jsonrpc: '2.0',
      id: 'first',
      result: { protocolVersion: '2025-11-25', serverInfo: { name: PACKAGE.name } },
    });
    expect(headers['Mcp-Session-Id']).toMatch(/^[\x21-\x7e]{20,}$/);
    expect([initialized.status, initialized.text]).toEqual([202, '']);
    expect(called.body).toMatchObject({ id: 1, result: { content: [{ text: 'Hello, Ada Lovelace!' }] } });
    expect([deleted.status, deleted.text]).toEqual([200, '']);
    expect([after.status, again.status]).toEqual([404, 404]);
    expect(after.body).toMatchObject({ jsonrpc: '2.0', id: 2, error: { code: -32_001 } });
  });

  test.each(['2025-03-26', '2025-06-18', '2025-11-25', '2024-11-05'])(
    'negotiates revision %s',
    async (version) => {
      const answer = await send(mcp, { token: ADA, body: initialize(version) });

      expect(answer.body).toMatchObject({ result: { protocolVersion: version } });
    },
  );

  test('offers the latest revision with sessions to a client that asks for an unknown one', async () => {
    const answer = await send(mcp, { token: ADA, body: initialize('1999-01-01') });

    expect(answer.body).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  test('refuses a second initialize and stays open', async () => {
    const session = await openMcpSession(server.url, ADA);

    const second = await session.post(initialize('2025-11-25', 'again'));
    const after = await session.post(rpc(2, 'ping'));

    expect([second.status, second.body]).toEqual([
      400,
      expect.objectContaining({ id: 'again', error: expect.objectContaining({ code: -32_600 }) }),
    ]);
    expect(after.body).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
  });

  test('never takes its id from the client', async () => {
    const answer = await send(mcp, {
      token: ADA,
      headers: { 'Mcp-Session-Id': 'my-own' },
      body: initialize(),
    });

    expect([answer.status, answer.headers.get('mcp-session-id')]).toEqual([404, null]);
  });

  test('has a random id, of which only the version digit is constant', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 16; count += 1) {
      const { id, headers } = await openMcpSession(server.url, BOB);
      ids.push(id);
      await send(mcp, { headers, method: 'DELETE' });
    }

    const digits = ids.map((id) => id.replaceAll('-', ''));
    const fixed = [...Array(32).keys()].filter((at) => new Set(digits.map((id) => id[at])).size === 1);
    // RFC 9562, section 5.4: the version; two bits of another digit are fixed as well.
    expect(fixed).toEqual([12]);
    expect(digits.map(({ length }) => length)).toEqual(Array(16).fill(32));
  });
});

describe('a request without a session', () => {
  test('is served when it does not depend on a session, for clients that never send the session id', async () => {
    const bodies = [callTool(7, 'get_greeting'), rpc(7, 'tools/list'), rpc(7, 'ping')];

    const answers = await Promise.all(bodies.map(async (body) => send(mcp, { token: BOB, body })));

    expect(answers.map(({ status, headers }) => [status, headers.get('mcp-session-id')])).toEqual([
      [200, null],
      [200, null],
      [200, null],
    ]);
    expect(answers.map(({ body }) => body)).toEqual([
      expect.objectContaining({
        id: 7,
        result: expect.objectContaining({ content: [{ type: 'text', text: 'Hello, Bob!' }] }),
      }),
      expect.objectContaining({ result: { tools: expect.arrayContaining([expect.anything()]) } }),
      expect.objectContaining({ result: {} }),
    ]);
  });

  test('opens no session, however many there are', async () => {
    const small = await startTestServer({ env: { MAX_SESSIONS: '2' }, tools: fixtureTools });
    const answers = [];

    for (let id = 0; id < 20; id += 1)
      answers.push(await send(`${small.url}/mcp`, { token: ADA, body: callTool(id, 'get_greeting') }));
    await small.close();

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('streams its progress, and is finished before the server closes', async () => {
    const ending = await startTestServer({ tools: [held.tool] });
    const stream = openStream(`${ending.url}/mcp`, {
      token: ADA,
      body: {
        ...callTool(1, 'hold', { steps: 2 }),
        params: { name: 'hold', arguments: { steps: 2 }, _meta: { progressToken: 'p' } },
      },
    });
    await held.untilWaiting(1);

    const closed = ending.close();
    held.release();
    const answer = await (await stream).answerTo(1);

    expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
    expect(await closed).toBe(true);
  });

  test('is 202 when it is a notification', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/initialized' };

    const answer = await send(mcp, { token: ADA, body });

    expect([answer.status, answer.text]).toEqual([202, '']);
  });

  test('is 400 with its id when it needs a session', async () => {
    const answer = await send(mcp, { token: ADA, body: rpc(7, 'resources/list') });

    expect([answer.status, answer.body]).toEqual([
      400,
      expect.objectContaining({
        id: 7,
        error: {
          code: -32_000,
          message:
            'This needs a session: send the Mcp-Session-Id header that the answer to initialize carried.',
          data: { error: 'session_required' },
        },
      }),
    ]);
  });

  test.each([
    ['named by the header', { 'MCP-Protocol-Version': '2025-03-26' }],
    ['or without the header, which is younger', {}],
  ])(
    'is served as a batch in revision 2025-03-26, %s, unless part of it needs a session',
    async (_, headers) => {
      const notice = { jsonrpc: '2.0', method: 'notifications/initialized' };
      const call = rpc('c', 'tools/call', { name: 'whoami', arguments: {} });

      const served = await send(mcp, { token: ADA, body: [rpc(1, 'ping'), notice, call], headers });
      const notices = await send(mcp, { token: ADA, body: [notice, notice], headers });
      const mixed = await send(mcp, { token: ADA, body: [rpc(1, 'ping'), rpc(2, 'prompts/list')], headers });
      const later = await send(mcp, {
        token: ADA,
        body: [rpc(1, 'ping')],
        headers: { 'MCP-Protocol-Version': '2025-06-18' },
      });

      expect(served.status).toBe(200);
      expect(served.body).toHaveLength(2);
      expect(served.body).toEqual(
        expect.arrayContaining([
          { jsonrpc: '2.0', id: 1, result: {} },
          expect.objectContaining({
            id: 'c',
            result: expect.objectContaining({
              structuredContent: expect.objectContaining({ userId: 'ada' }),
            }),
          }),
        ]),
      );
      expect([notices.status, notices.text]).toEqual([202, '']);
      expect([mixed.status, later.status]).toEqual([400, 400]);
    },
  );

  test('is 400 when it is a response, or a batch with initialize', async () => {
    const bodies = [{ jsonrpc: '2.0', id: 1, result: {} }, [initialize()], [initialize(), rpc(1, 'ping')]];

    const answers = await Promise.all(bodies.map(async (body) => send(mcp, { token: ADA, body })));

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });

  test('is 405 with Allow and an explanation when it is a GET', async () => {
    const answer = await send(mcp, { token: ADA, headers: { Accept: 'text/event-stream' } });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, DELETE']);
    expect(answer.text).toMatch(/initialize/);
  });

  test('is 400 when it is a DELETE', async () => {
    const answer = await send(mcp, { token: ADA, method: 'DELETE' });

    expect([answer.status, answer.body]).toEqual([
      400,
      expect.objectContaining({ jsonrpc: '2.0', id: null, error: expect.anything() }),
    ]);
  });

  test.each(['HEAD', 'PUT', 'PATCH', 'OPTIONS'])('is 405 with Allow when it is a %s', async (method) => {
    const answer = await send(mcp, { token: ADA, method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, GET, DELETE']);
  });
});

describe('an unknown session', () => {
  test.each(['no-such-session', '__proto__', 'constructor', 'x'.repeat(5_000), '%00'])(
    'such as %.20s is a JSON-RPC 404 with every method',
    async (id) => {
      const headers = { 'Mcp-Session-Id': id };

      const answers = await Promise.all([
        send(mcp, { token: ADA, headers, body: rpc('mine', 'ping') }),
        send(mcp, { token: ADA, headers }),
        send(mcp, { token: ADA, headers, method: 'DELETE' }),
      ]);

      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      const error = { code: -32_001, message: expect.any(String), data: { error: 'session_not_found' } };
      expect(answers.map(({ body }) => body)).toEqual([
        { jsonrpc: '2.0', id: 'mine', error },
        { jsonrpc: '2.0', id: null, error },
        { jsonrpc: '2.0', id: null, error },
      ]);
    },
  );
});

describe('MCP-Protocol-Version', () => {
  test('may be any revision with sessions, also one that was not negotiated, or absent', async () => {
    const session = await openMcpSession(server.url, ADA);

    const versions = ['2025-03-26', '2025-06-18', '2025-11-25'];
    const answers = await Promise.all([
      session.post(rpc(1, 'ping')),
      ...versions.map(async (version, index) =>
        session.post(rpc(index + 2, 'ping'), { headers: { 'MCP-Protocol-Version': version } }),
      ),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test.each(['1999-01-01', 'latest', '2025-11-25, 2025-06-18'])(
    'with another value, such as %s, is 400 with every method',
    async (version) => {
      const session = await openMcpSession(server.url, ADA);
      const headers = { ...session.headers, 'MCP-Protocol-Version': version };

      const answers = await Promise.all([
        send(mcp, { headers, body: rpc(1, 'ping') }),
        send(mcp, { headers }),
        send(mcp, { headers, method: 'DELETE' }),
      ]);
      const after = await session.post(rpc(2, 'ping'));

      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
      expect(after.status).toBe(200);
    },
  );
});

describe('the stream of a session', () => {
  test('has headers that keep proxies from buffering it, and heartbeats', async () => {
    const session = await openMcpSession(server.url, ADA);

    const stream = await openStream(mcp, { headers: session.headers });
    await stream.waitFor(({ comment }) => comment === 'keepalive', 2_500);
    stream.close();

    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.headers.get('mcp-session-id')).toBe(session.id);
    // Some proxies hold the headers back until there is a byte of the body.
    const primer = { id: expect.stringMatching(/^g\..*\.0$/), data: '' };
    expect(stream.frames).toEqual([{ comment: 'open' }, primer, { comment: 'keepalive' }]);
  });

  test('carries change notifications', async () => {
    const session = await openMcpSession(server.url, ADA);
    const stream = await openStream(mcp, { headers: session.headers });

    announceChange();
    await stream.waitFor(({ data = '' }) => data.includes('notifications/tools/list_changed'));
    stream.close();

    expect(stream.messages()).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]);
  });

  test('is taken over by a second GET', async () => {
    const session = await openMcpSession(server.url, ADA);
    const first = await openStream(mcp, { headers: session.headers });

    const second = await openStream(mcp, { headers: session.headers });
    const howFirstEnded = await first.over();
    announceChange();
    await second.waitFor(({ data }) => data !== undefined);
    second.close();

    expect(howFirstEnded).toBe('ended');
    expect(first.messages()).toEqual([]);
  });

  test('ends when the session is deleted', async () => {
    const session = await openMcpSession(server.url, ADA);
    const stream = await openStream(mcp, { headers: session.headers });

    await send(mcp, { headers: session.headers, method: 'DELETE' });

    expect(await stream.over()).toBe('ended');
  });

  test('is 406 for a client that does not accept text/event-stream', async () => {
    const session = await openMcpSession(server.url, ADA);

    const answer = await send(mcp, { headers: { ...session.headers, Accept: 'application/json' } });

    expect(answer.status).toBe(406);
  });
});

describe('an answer', () => {
  test.each([
    'application/json, text/event-stream',
    'application/json',
    '*/*',
    'text/event-stream;q=0.5, application/json;q=0.1',
  ])('is plain JSON for Accept: %s when it is immediate', async (accept) => {
    const session = await openMcpSession(server.url, ADA);

    const answer = await session.post(rpc(1, 'ping'), { headers: { Accept: accept } });

    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(answer.body).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  test('is a stream for a client that accepts only text/event-stream', async () => {
    const session = await openMcpSession(server.url, ADA);
    const headers = { ...session.headers, Accept: 'text/event-stream' };
    const ask = stateless({ method: 'tools/list' }, { token: ADA });

    const answer = await openStream(mcp, { headers, body: rpc(1, 'ping') });
    const opening = await openStream(mcp, {
      token: ADA,
      headers: { Accept: headers.Accept },
      body: initialize(),
    });
    const alone = await openStream(mcp, { ...ask, headers: { ...ask.headers, Accept: headers.Accept } });

    expect(await answer.answerTo(1)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await answer.over()).toBe('ended');
    expect(await opening.answerTo(0)).toMatchObject({ result: { serverInfo: {} } });
    expect(opening.headers.get('mcp-session-id')).not.toBeNull();
    expect(await alone.answerTo(1)).toMatchObject({ result: { tools: expect.anything() } });
    for (const { headers: sent } of [answer, opening, alone])
      expect(sent.get('content-type')).toBe('text/event-stream');
  });

  test('becomes a stream when progress precedes it', async () => {
    const session = await openMcpSession(server.url, ADA);
    const params = { name: 'hold', arguments: { steps: 2 }, _meta: { progressToken: 'p' } };

    const stream = await openStream(mcp, { headers: session.headers, body: rpc(1, 'tools/call', params) });
    await stream.waitFor(({ data = '' }) => data.includes('step 2'));
    held.release();
    const answer = await stream.answerTo(1);
    await stream.over();

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
    expect(stream.messages().slice(0, 2)).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 1, total: 2 } },
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 2, total: 2 } },
    ]);
  });

  test('stays plain JSON, without progress, for a client that does not accept a stream', async () => {
    const session = await openMcpSession(server.url, ADA);
    const params = { name: 'hold', arguments: { steps: 2 }, _meta: { progressToken: 'p' } };

    const pending = session.post(rpc(1, 'tools/call', params), { headers: { Accept: 'application/json' } });
    await held.untilWaiting(1);
    held.release();
    const answer = await pending;

    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.body).toMatchObject({ id: 1, result: { content: [{ text: 'held' }] } });
  });

  test('becomes a stream with heartbeats when it takes longer than their interval', async () => {
    const session = await openMcpSession(server.url, ADA);

    const stream = await openStream(mcp, { headers: session.headers, body: callTool('slow', 'hold') });
    await stream.waitFor(({ comment }) => comment === 'keepalive', 4_000);
    held.release();
    const answer = await stream.answerTo('slow');
    const end = await stream.over();

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('mcp-session-id')).toBe(session.id);
    expect(answer).toMatchObject({ id: 'slow', result: { content: [{ text: 'held' }] } });
    expect(end).toBe('ended');
  });

  test('belongs to its request, in whatever order answers come', async () => {
    const session = await openMcpSession(server.url, ADA);

    const slow = session.post(callTool('slow', 'hold'));
    await held.untilWaiting(1);
    const quick = await session.post(callTool('quick', 'echo_message', { message: 'first' }));
    held.release();

    expect(quick.body).toMatchObject({ id: 'quick', result: { content: [{ text: 'first' }] } });
    expect((await slow).body).toMatchObject({ id: 'slow', result: { content: [{ text: 'held' }] } });
  });
});

describe('a cancelled call', () => {
  test('ends its response without an answer and aborts the tool', async () => {
    const session = await openMcpSession(server.url, ADA);
    const abortedBefore = held.aborted;
    const pending = session.post(callTool(5, 'hold'));
    await held.untilWaiting(1);

    const cancelled = await session.post({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 5 },
    });
    const answer = await pending;

    expect(cancelled.status).toBe(202);
    expect([answer.status, answer.text]).toEqual([202, '']);
    await eventually(() => held.aborted === abortedBefore + 1);
  });

  test('ends its response when that is already a stream', async () => {
    const session = await openMcpSession(server.url, ADA);
    const params = { name: 'hold', arguments: { steps: 1 }, _meta: { progressToken: 1 } };
    const stream = await openStream(mcp, { headers: session.headers, body: rpc(5, 'tools/call', params) });

    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } });
    const end = await stream.over();

    expect(end).toBe('ended');
    expect(stream.messages()).toHaveLength(1);
  });

  test('frees its request id', async () => {
    const session = await openMcpSession(server.url, ADA);
    const pending = session.post(callTool(5, 'hold'));
    await held.untilWaiting(1);
    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } });
    await pending;

    const answer = await session.post(rpc(5, 'ping'));

    expect(answer.body).toEqual({ jsonrpc: '2.0', id: 5, result: {} });
  });

  test('whose id is not in flight is ignored', async () => {
    const session = await openMcpSession(server.url, ADA);

    const answers = await Promise.all(
      [99, '__proto__', null, {}, 1.5].map(async (requestId) =>
        session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }),
      ),
    );
    const after = await session.post(rpc(1, 'ping'));

    for (const { status } of answers) expect(status).toBeLessThan(500);
    expect(after.status).toBe(200);
  });
});

test('deleting a session ends its calls in flight with 404 and aborts their tools', async () => {
  const session = await openMcpSession(server.url, ADA);
  const abortedBefore = held.aborted;
  const pending = session.post(callTool(5, 'hold'));
  await held.untilWaiting(1);

  await send(mcp, { headers: session.headers, method: 'DELETE' });
  const answer = await pending;

  expect([answer.status, answer.body]).toEqual([
    404,
    {
      jsonrpc: '2.0',
      id: 5,
      error: expect.objectContaining({ code: -32_001, data: { error: 'session_ended' } }),
    },
  ]);
  await eventually(() => held.aborted === abortedBefore + 1);
});
