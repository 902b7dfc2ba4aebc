/** Any JSON that arrives is answered as JSON-RPC prescribes, on both routes and in every revision: no 5xx, and no request is left waiting. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool } from '../../support/held-tool.ts';
import { callTool, openMcpSession, type RawSession, rpc, send, stateless } from '../../support/raw-http.ts';
import { openSse, openStream, type SseSession } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const held = createHeldTool();
let server: TestServer;
let mcp: RawSession;
let sse: SseSession;
beforeAll(async () => {
  server = await startTestServer({ tools: [...fixtureTools, held.tool] });
  mcp = await openMcpSession(server.url, ADA);
  sse = await openSse(server.url, ADA);
});
afterEach(() => held.release());
afterAll(async () => {
  sse.close();
  await server.close();
});

/** Sends a request over either transport; resolves to the message that answers it. */
async function ask(route: '/mcp' | '/messages', body: object): Promise<unknown> {
  if (route === '/mcp') return (await mcp.post(body)).body;
  // A stream of its own: earlier answers may have the same id.
  const session = await openSse(server.url, ADA);
  await session.post(body);
  await session.waitFor(({ event }) => event === 'message');
  session.close();
  return session.messages()[0];
}

/** Sends a body that is refused before it is a message; resolves to the status, id and code of the answer to its POST. */
async function refusal(route: '/mcp' | '/messages', body: unknown): Promise<unknown[]> {
  const answer = await (route === '/mcp' ? mcp : sse).post(body);
  const { id, error } = answer.body as { id?: unknown; error?: { code: number } };
  return [answer.status, id, error?.code];
}

describe.each(['/mcp', '/messages'] as const)('on %s', (route) => {
  test.each([
    ['a word', 'id'],
    ['an empty string', ''],
    ['zero', 0],
    ['a negative number', -1],
    ['the largest whole number', Number.MAX_SAFE_INTEGER],
    ['the smallest whole number', Number.MIN_SAFE_INTEGER],
    ['a string of digits', '1'],
    ['__proto__', '__proto__'],
    ['characters beyond ASCII', 'ü–𝔘\u0000\ud800'],
    ['ten thousand characters', 'x'.repeat(10_000)],
  ])('an id that is %s is returned as it was sent', async (_what, id) => {
    const answer = await ask(route, rpc(id, 'ping'));

    expect(answer).toEqual({ jsonrpc: '2.0', id, result: {} });
  });

  test('the ids 1 and "1" belong to two requests', async () => {
    const session = await openMcpSession(server.url, ADA);
    const slow = session.post(callTool(1, 'hold'));
    await held.untilWaiting(1);

    const quick = await session.post(rpc('1', 'ping'));
    held.release();

    expect(quick.body).toEqual({ jsonrpc: '2.0', id: '1', result: {} });
    expect((await slow).body).toMatchObject({ id: 1 });
  });

  test.each([
    ['null', 'null'],
    ['a fraction', '1.5'],
    ['too large to be exact', '9007199254740993'],
    ['infinite', '1e999'],
    ['true', 'true'],
    ['an object', '{}'],
    ['an array', '[1]'],
  ])('an id that is %s is refused with -32600', async (_what, id) => {
    const answer = await refusal(route, `{"jsonrpc":"2.0","id":${id},"method":"ping"}`);

    expect(answer).toEqual([400, null, -32_600]);
  });

  test.each([
    ['a number', '1'],
    ['a string', '"ping"'],
    ['null', 'null'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['of JSON-RPC 1', '{"id":1,"method":"ping"}'],
    ['of a wrong version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['of a version that is a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['with a method that is a number', '{"jsonrpc":"2.0","id":1,"method":1}'],
    ['with a method that is null', '{"jsonrpc":"2.0","id":1,"method":null}'],
    ['with params that are an array', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ['with params that are a string', '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}'],
    ['with params that are null', '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}'],
    ['with a _meta that is a number', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":1}}'],
    ['with a _meta that is an array', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}'],
    [
      'with a wrong progress token',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":{}}}}',
    ],
    ['a notification with wrong params', '{"jsonrpc":"2.0","method":"notifications/x","params":1}'],
    ['an answer without result and error', '{"jsonrpc":"2.0","id":1}'],
    ['an answer with both', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}'],
    ['an answer with a wrong error', '{"jsonrpc":"2.0","id":1,"error":"x"}'],
    ['an answer with a wrong id', '{"jsonrpc":"2.0","id":{},"result":{}}'],
  ])('a body that is %s is refused with -32600', async (_what, body) => {
    const [status, , code] = await refusal(route, body);

    expect([status, code]).toEqual([400, -32_600]);
  });

  test.each([
    ['an unknown member', '{"jsonrpc":"2.0","id":1,"method":"ping","trace":"x"}', 'no members but'],
    ['an unknown member in a notification', '{"jsonrpc":"2.0","method":"x","trace":"x"}', 'no members but'],
    [
      'a wrong progress token',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1.5}}}',
      '"progressToken" in that a string',
    ],
  ])('the refusal of %s names it', async (_what, body, words) => {
    const answer = await (route === '/mcp' ? mcp : sse).post(body);

    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: -32_600, message: expect.stringContaining(words) } },
    });
  });

  test.each([
    ['an unknown method', rpc(1, 'no/such'), -32_601],
    ['an empty method', rpc(1, ''), -32_601],
    ['the method __proto__', rpc(1, '__proto__'), -32_601],
    ['the method constructor', rpc(1, 'constructor'), -32_601],
    ['a method of a capability that the server lacks', rpc(1, 'prompts/get', { name: 'x' }), -32_601],
    ['a list with an unknown cursor', rpc(1, 'tools/list', { cursor: 'x' }), -32_602],
    ['an empty list with a cursor', rpc(1, 'prompts/list', { cursor: 'x' }), -32_602],
    ['a call without a name', rpc(1, 'tools/call', {}), -32_602],
    ['a call without params', rpc(1, 'tools/call'), -32_602],
    ['a call with a name that is a number', rpc(1, 'tools/call', { name: 1 }), -32_602],
    [
      'a call with arguments that are an array',
      rpc(1, 'tools/call', { name: 'whoami', arguments: [] }),
      -32_602,
    ],
    [
      'a call with arguments that are a string',
      rpc(1, 'tools/call', { name: 'whoami', arguments: 'x' }),
      -32_602,
    ],
    ['a call of an unknown tool', callTool(1, 'no_such_tool'), -32_602],
    ['a call of the tool __proto__', callTool(1, '__proto__'), -32_602],
    ['a call of the tool constructor', callTool(1, 'constructor'), -32_602],
    ['a call of the tool toString', callTool(1, 'toString'), -32_602],
  ])('%s is answered with the error code of its fault', async (_what, body, code) => {
    const answer = await ask(route, body);

    expect(answer).toMatchObject({ jsonrpc: '2.0', id: 1, error: { code, message: expect.any(String) } });
  });

  test.each(['no_such_tool', '__proto__', 'toString', 'constructor'])(
    'a call of the unknown tool %s is an error that names it',
    async (name) => {
      const { error } = (await ask(route, callTool(1, name))) as { error: object };

      expect(error).toEqual({ code: -32_602, message: `Tool ${name} not found` });
    },
  );

  test('wrong arguments for a tool give a result that the model can read', async () => {
    const answer = await ask(route, callTool(1, 'echo_message', { message: 1 }));

    expect(answer).toMatchObject({ id: 1, result: { isError: true } });
  });

  test.each([
    ['a lone surrogate', String.raw`"\ud800"`, '\ud800'],
    ['a NUL', String.raw`"a\u0000b"`, 'a\u0000b'],
    ['line separators', '"\u2028\u2029\\r\\n\\n"', '\u2028\u2029\r\n\n'],
    ['the text of an SSE frame', String.raw`"\n\ndata: {}\n\n"`, '\n\ndata: {}\n\n'],
    ['characters of every plane', '"aß水𝔘👩‍👩‍👧"', 'aß水𝔘👩‍👩‍👧'],
  ])('a message with %s is echoed as it was sent', async (_what, literal, message) => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo_message","arguments":{"message":${literal}}}}`;

    const answer = await ask(route, JSON.parse(body) as object);

    expect(answer).toMatchObject({ result: { content: [{ type: 'text', text: message }] } });
  });

  test('members named __proto__ have no effect, and of a doubled member the last one counts', async () => {
    const bodies = [
      '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"polluted":true}}',
      '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"ping"}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"whoami"},"name":"get_greeting"}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_greeting","arguments":{"__proto__":{"name":"x"},"constructor":null}}}',
      '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","params":{"_meta":{"__proto__":1}}}',
    ];

    const statuses = [];
    for (const body of bodies) statuses.push((await (route === '/mcp' ? mcp : sse).post(body)).status);
    const [renamed, greeted, twice] = [
      await mcp.post(bodies[2]),
      await mcp.post(bodies[3]),
      await mcp.post(bodies[4]),
    ];

    const taken = route === '/mcp' ? 200 : 202;
    // A message may have only its own members; params and arguments may have any.
    expect(statuses).toEqual([400, 400, taken, taken, taken]);
    expect(renamed.text).toContain('Hello, Ada Lovelace!');
    expect(greeted.text).toContain('Hello, Ada Lovelace!');
    expect(twice.body).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('responses and notifications without meaning are accepted and ignored', async () => {
    const bodies = [
      { jsonrpc: '2.0', id: 99, result: {} },
      { jsonrpc: '2.0', id: 'x', error: { code: 1, message: 'no' } },
      { jsonrpc: '2.0', method: 'notifications/no/such' },
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'none', progress: 1 } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: {} },
      { jsonrpc: '2.0', method: 'notifications/cancelled' },
      { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
      { jsonrpc: '2.0', method: 'initialize' },
    ];

    const answers = await Promise.all(bodies.map(async (body) => (route === '/mcp' ? mcp : sse).post(body)));
    const after = await ask(route, rpc('after', 'ping'));

    // An `initialize` without an id requests nothing; in a session that has begun it is out of place.
    expect(answers.slice(0, -1).map(({ status }) => status)).toEqual(bodies.slice(1).map(() => 202));
    expect(after).toEqual({ jsonrpc: '2.0', id: 'after', result: {} });
  });
});

test.each([
  { what: 'the fast lane', features: [] },
  { what: 'the SDK', features: [{ name: 'nothing' }] },
])(
  'requests in flight with equal ids are each answered on their own response, by $what',
  async ({ features }) => {
    const tools = [held.tool, ...fixtureTools];
    const own = await startTestServer({ tools, features });
    const session = await openMcpSession(own.url, ADA);
    const first = session.post(callTool(1, 'hold'));
    const second = session.post(callTool(1, 'hold'));
    await held.untilWaiting(2);

    const others = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => session.post(callTool(1, 'get_greeting', { name }))),
    );
    held.release();
    const answers = [await first, await second];
    await own.close();

    for (const [index, name] of ['a', 'b', 'c'].entries())
      expect(others[index]).toMatchObject({
        status: 200,
        body: { id: 1, result: { content: [{ text: `Hello, ${name}!` }] } },
      });
    for (const { body } of answers)
      expect(body).toMatchObject({ id: 1, result: { content: [{ text: 'held' }] } });
  },
);

test.each([
  { what: 'the fast lane', features: [] },
  { what: 'the SDK', features: [{ name: 'nothing' }] },
])(
  'a cancellation aborts every request of the session with its id and no other, by $what',
  async ({ features }) => {
    const own = await startTestServer({ tools: [held.tool], features });
    const session = await openMcpSession(own.url, ADA);
    const pending = [1, 1, 2].map(async (id) => session.post(callTool(id, 'hold')));
    await held.untilWaiting(3);
    const before = held.aborted;

    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    const cancelled = await Promise.all(pending.slice(0, 2));
    held.release();
    const kept = await pending[2];
    const aborted = held.aborted - before;
    await own.close();

    expect(cancelled.map(({ status, text }) => [status, text])).toEqual([
      [202, ''],
      [202, ''],
    ]);
    expect(kept).toMatchObject({ status: 200, body: { id: 2 } });
    expect(aborted).toBe(2);
  },
);

describe('batches', () => {
  test.each(['2025-06-18', '2025-11-25'])('are refused in %s', async (version) => {
    const session = await openMcpSession(server.url, ADA, version);

    const answer = await session.post([rpc(1, 'ping')]);

    expect([answer.status, answer.body]).toEqual([
      400,
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_600 }) }),
    ]);
  });

  test('are answered in 2025-03-26 with one array, without entries for notifications', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post([
      rpc(1, 'ping'),
      { jsonrpc: '2.0', method: 'notifications/no/such' },
      callTool('two', 'get_greeting'),
      rpc(3, 'no/such'),
    ]);

    expect(answer.status).toBe(200);
    expect(answer.body).toHaveLength(3);
    expect(answer.body).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 1, result: {} },
        expect.objectContaining({ id: 'two', result: expect.anything() }),
        expect.objectContaining({ id: 3, error: expect.objectContaining({ code: -32_601 }) }),
      ]),
    );
  });

  test('of one request are answered with an array of one', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post([rpc(1, 'ping')]);

    expect(answer.body).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  });

  test('of only notifications and responses are accepted with 202', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post([
      { jsonrpc: '2.0', method: 'notifications/no/such' },
      { jsonrpc: '2.0', id: 1, result: {} },
    ]);

    expect([answer.status, answer.text]).toEqual([202, '']);
  });

  test.each([
    ['empty', []],
    ['more than a hundred', Array.from({ length: 101 }, (_, id) => rpc(id, 'ping'))],
    ['with something else in it', [rpc(1, 'ping'), 1]],
    ['of batches', [[rpc(1, 'ping')]]],
    ['with an id twice', [rpc(1, 'ping'), rpc(1, 'ping')]],
    ['with initialize', [rpc(1, 'ping'), rpc(2, 'initialize', {})]],
  ])('are refused when they are %s', async (_what, body) => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post(body);

    expect([answer.status, answer.body]).toEqual([
      400,
      expect.objectContaining({ error: expect.objectContaining({ code: -32_600 }) }),
    ]);
  });

  test('with a doubled id run none of their calls', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post([callTool(1, 'hold'), callTool('b', 'hold'), callTool(1, 'hold')]);

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { data: { error: 'duplicate_id' } } });
    expect(held.waiting).toBe(0);
  });

  test('of a hundred are answered', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');

    const answer = await session.post(Array.from({ length: 100 }, (_, id) => rpc(id, 'ping')));

    expect(answer.body).toHaveLength(100);
  });

  test('that cancel their own call get only the other answers', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };

    const alone = await session.post([callTool(1, 'hold'), cancel]);
    const withOthers = await session.post([callTool(1, 'hold'), rpc(2, 'ping'), cancel]);

    expect([alone.status, alone.text]).toEqual([202, '']);
    expect(withOthers.body).toEqual([{ jsonrpc: '2.0', id: 2, result: {} }]);
  });

  test('are answered with a stream of every answer when one of them reports progress', async () => {
    const session = await openMcpSession(server.url, ADA, '2025-03-26');
    const params = { name: 'hold', arguments: { steps: 1 }, _meta: { progressToken: 1 } };

    const stream = await openStream(`${server.url}/mcp`, {
      headers: session.headers,
      body: [rpc(1, 'ping'), rpc(2, 'tools/call', params)],
    });
    await stream.waitFor(({ data = '' }) => data.includes('progress'));
    held.release();
    await stream.over();

    expect(stream.messages()).toHaveLength(3);
    expect(stream.messages()).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 1, result: {} },
        expect.objectContaining({ id: 2, result: expect.anything() }),
      ]),
    );
  });
});

test('none of these requests is logged as an error', async () => {
  await send(`${server.url}/health`);

  expect(server.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

describe('a list of a capability that the server lacks', () => {
  const LISTS = [
    ['prompts/list', { prompts: [] }],
    ['resources/list', { resources: [] }],
    ['resources/templates/list', { resourceTemplates: [] }],
  ] as const;

  test.each(LISTS)('is empty in a session: %s', async (method, result) => {
    const session = await openMcpSession(server.url, ADA);

    const plain = await session.post(rpc(1, method));
    const odd = await session.post(rpc(2, method, { _meta: { 'example.com/a': 1 } }));

    expect([plain.body, odd.body]).toEqual([
      { jsonrpc: '2.0', id: 1, result },
      { jsonrpc: '2.0', id: 2, result },
    ]);
  });

  test.each(LISTS)('is an unknown method in the stateless revision: %s', async (method, _result) => {
    const answer = await send(`${server.url}/mcp`, stateless({ method }, { token: ADA }));

    expect([answer.status, answer.body]).toEqual([
      404,
      expect.objectContaining({ error: expect.objectContaining({ code: -32_601 }) }),
    ]);
  });
});
