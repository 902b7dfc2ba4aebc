/** The log: one line per request and per tool call, with facts in named fields, and no secrets or private data. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestToken } from '../../../src/auth/digest.ts';
import { defineTool, ToolError } from '../../../src/mcp/tool.ts';
import { z } from 'zod';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import {
  callTool,
  eventually,
  initialize,
  openMcpSession,
  openRaw,
  rpc,
  send,
  sendRaw,
  stateless,
} from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import {
  ADA,
  BOB,
  GREETER,
  type LogLine,
  startTestServer,
  TOKENS,
  type TestServer,
} from '../../support/start-server.ts';

/** Fails in the way that its input names, without repeating the input. */
const fail = defineTool({
  name: 'fail',
  title: 'Fail',
  description: 'Fails.',
  input: z.object({ how: z.string() }),
  run: ({ how }) => {
    throw how === 'expected' ? new ToolError('no') : new Error('broken');
  },
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    tools: [...fixtureTools, fail],
    env: { AUTH_FAILURES_PER_MINUTE: '1000' },
  });
});
afterAll(async () => {
  await server.close();
});

/** The lines with these fields, as soon as there are any. */
async function linesWith(fields: LogLine): Promise<LogLine[]> {
  const found = (): LogLine[] =>
    server.lines.filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
  await eventually(() => found().length > 0, { what: `a line with ${JSON.stringify(fields)}` });
  return found();
}

describe('a request', () => {
  test('has one line with its facts, under the request id that the client received', async () => {
    const session = await openMcpSession(server.url, ADA);
    const answer = await session.post(rpc(1, 'ping'));

    const lines = await linesWith({ requestId: answer.headers.get('x-request-id') });

    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        pid: expect.any(Number),
        hostname: expect.any(String),
        msg: 'request',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        method: 'POST',
        path: '/mcp',
        status: 200,
        durationMs: expect.any(Number),
        rpcMethod: 'ping',
        userId: 'ada',
        tokenId: digestToken(ADA).slice(0, 8),
        session: session.id.slice(0, 8),
      },
    ]);
  });

  test('that is refused is logged without a user', async () => {
    const answer = await send(`${server.url}/tools`, { token: 'tok_wrong' });

    const [line, ...more] = await linesWith({ requestId: answer.headers.get('x-request-id') });

    expect(more).toEqual([]);
    expect(line).toMatchObject({ msg: 'request', method: 'GET', path: '/tools', status: 401 });
    expect(line).not.toHaveProperty('userId');
    expect(line).not.toHaveProperty('tokenId');
  });

  test.each([
    ['missing', {}, { error: 'unauthorized' }],
    ['malformed', { Authorization: 'Bearer YOUR_TOKEN' }, { error: 'invalid_token' }],
    ['unknown', { Authorization: 'Bearer tok_wrong' }, { error: 'invalid_token' }],
    [
      'expired',
      { Authorization: 'Bearer tok_expired_0123456789' },
      { userId: 'old', tokenId: digestToken('tok_expired_0123456789').slice(0, 8) },
    ],
    [
      'disabled',
      { Authorization: 'Bearer tok_disabled_0123456789' },
      { userId: 'off', tokenId: digestToken('tok_disabled_0123456789').slice(0, 8) },
    ],
  ])(
    'that is refused is logged with the reason "%s", the client and the address',
    async (reason, headers, facts) => {
      const told = { ...headers, 'User-Agent': 'some-client/1.2' };
      const answer = await send(`${server.url}/mcp`, { headers: told, body: rpc(1, 'ping') });

      const [line] = await linesWith({ requestId: answer.headers.get('x-request-id') });

      expect(line).toMatchObject({
        status: 401,
        reason,
        client: 'some-client/1.2',
        address: '127.0.0.1',
        ...facts,
      });
      expect(JSON.stringify(line)).not.toContain('tok_');
    },
  );

  test('that is refused is logged with the Host, the Origin or the method at fault', async () => {
    const host = await sendRaw(server.url, ['GET /tools HTTP/1.1', 'Host: evil.example']);
    const origin = await send(`${server.url}/tools`, {
      token: ADA,
      headers: { Origin: 'https://evil.example' },
    });
    const session = await send(`${server.url}/mcp`, {
      token: ADA,
      headers: { 'Mcp-Session-Id': 'none' },
      body: initialize(),
    });
    const lines = await Promise.all(
      [host, origin, session].map(async ({ headers }) =>
        linesWith({ requestId: headers.get('x-request-id') }),
      ),
    );

    expect(lines.flat()).toMatchObject([
      { status: 403, error: 'forbidden_host', host: 'evil.example' },
      { status: 403, error: 'forbidden_origin', origin: 'https://evil.example' },
      { status: 404, error: 'session_not_found', rpcMethod: 'initialize', client: 'raw 1', userId: 'ada' },
    ]);
  });

  test('for /health is logged at debug only', async () => {
    const answer = await send(`${server.url}/health`);

    const lines = await linesWith({ requestId: answer.headers.get('x-request-id') });

    expect(lines).toMatchObject([{ level: 20, path: '/health' }]);
  });

  test('whose client disconnected is logged as aborted', async () => {
    const stream = await openStream(`${server.url}/sse`, { token: BOB });
    const requestId = stream.headers.get('x-request-id');
    stream.close();

    const lines = await linesWith({ requestId });

    expect(lines).toMatchObject([{ path: '/sse', status: 200, aborted: true, userId: 'bob' }]);
  });
});

describe('a tool call', () => {
  test.each([
    ['ok', callTool(1, 'echo_message', { message: 'x' }), ADA],
    ['invalid_input', callTool(1, 'echo_message', { message: 1 }), ADA],
    ['tool_error', callTool(1, 'fail', { how: 'expected' }), ADA],
    ['internal_error', callTool(1, 'fail', { how: 'unexpected' }), ADA],
    ['insufficient_scope', callTool(1, 'echo_message', { message: 'x' }), GREETER],
  ])('with the outcome %s has one line with its facts', async (outcome, body, token) => {
    const session = await openMcpSession(server.url, token);
    const answer = await session.post(body);
    const requestId = answer.headers.get('x-request-id');

    const lines = await linesWith({ requestId, msg: 'tool call' });

    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        pid: expect.any(Number),
        hostname: expect.any(String),
        msg: 'tool call',
        requestId,
        userId: token === ADA ? 'ada' : 'greta',
        tokenId: digestToken(token).slice(0, 8),
        tool: (body as { params: { name: string } }).params.name,
        transport: 'streamable-http',
        client: 'raw 1',
        outcome,
        durationMs: expect.any(Number),
      },
    ]);
  });

  test('that is answered has no second line at level info; one that is refused has its request line', async () => {
    const session = await openMcpSession(server.url, ADA);
    const answered = [
      await session.post(callTool(1, 'echo_message', { message: 'x' })),
      await session.post(callTool(2, 'fail', { how: 'expected' })),
      await send(
        `${server.url}/mcp`,
        stateless({ method: 'tools/call', params: { name: 'whoami' } }, { token: ADA }),
      ),
    ];
    const refused = await send(`${server.url}/mcp`, {
      token: ADA,
      headers: { 'Mcp-Session-Id': 'none' },
      body: callTool(3, 'whoami'),
    });
    const linesOf = async ({ headers }: typeof refused): Promise<unknown[]> => {
      const requestId = headers.get('x-request-id');
      await linesWith({ requestId, msg: 'request' });
      return (await linesWith({ requestId })).map(({ msg, level }) => [msg, level]);
    };

    const found = await Promise.all([...answered, refused].map(linesOf));

    const told = [
      ['tool call', 30],
      ['request', 20],
    ];
    expect(found).toEqual([told, told, told, [['request', 30]]]);
  });

  test('over HTTP+SSE is logged with the request id of its POST', async () => {
    const session = await openSse(server.url, ADA);
    const posted = await session.post(callTool(1, 'get_greeting'));
    await session.answerTo(1);
    session.close();

    const lines = await linesWith({ requestId: posted.headers.get('x-request-id'), msg: 'tool call' });

    expect(lines).toMatchObject([{ transport: 'sse', tool: 'get_greeting', outcome: 'ok' }]);
  });
});

test('no line at any level holds a token, header, query, whole session id or argument, wherever it was sent', async () => {
  const SECRET = 'sEcReT-0123456789';
  const session = await openMcpSession(server.url, ADA);
  const sse = await openSse(server.url, ADA);
  const headers = {
    'X-Custom': SECRET,
    Cookie: SECRET,
    'User-Agent': SECRET,
    Referer: `http://localhost/?${SECRET}`,
  };
  const bodies = [
    callTool(1, 'echo_message', { message: SECRET }),
    callTool(2, 'echo_message', { [SECRET]: SECRET }),
    callTool(3, 'fail', { how: SECRET }),
    callTool(4, SECRET, {}),
    rpc(SECRET, SECRET, { [SECRET]: SECRET }),
    rpc(5, 'initialize', { protocolVersion: SECRET }),
    { jsonrpc: '2.0', method: SECRET, params: { a: SECRET } },
    { jsonrpc: '2.0', id: SECRET, result: { a: SECRET } },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: SECRET, reason: SECRET } },
    `{"${SECRET}`,
    [SECRET],
  ];
  const marked = stateless({
    method: 'tools/call',
    params: { name: 'echo_message', arguments: { message: SECRET } },
  });

  for (const body of bodies) {
    await session.post(body, { headers });
    await sse.post(body, { headers });
    await send(`${server.url}/mcp?token=${SECRET}`, { token: SECRET, body });
    await send(`${server.url}/register?${SECRET}`, { headers: { ...headers, 'x-api-key': SECRET }, body });
  }
  await send(`${server.url}/mcp`, { ...marked, token: ADA });
  for (const name of ['Mcp-Name', 'Mcp-Method', 'MCP-Protocol-Version', 'Mcp-Session-Id', 'Origin', 'Accept'])
    await send(`${server.url}/mcp`, {
      ...marked,
      token: ADA,
      headers: { ...marked.headers, [name]: SECRET },
    });
  for (const place of ['/', '/mcp/', '/sse/', '/.well-known/'])
    for (const word of [SECRET, ADA, session.id]) await send(`${server.url}${place}${word}`);
  await send(`${server.url}/messages?sessionId=${SECRET}`, { token: ADA, body: rpc(1, 'ping') });
  await sendRaw(server.url, ['GET /mcp HTTP/1.1', `Host: ${SECRET}`]);
  // Garbage behind an open stream: Node's error about it holds what was sent.
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  await connection.waitFor(/endpoint/);
  connection.write(`GET /mcp HTTP/1.1\r\nAuthorization: Bearer ${ADA}\r\n${SECRET} \u0000\r\n\r\n`);
  await connection.closed();
  sse.close();
  const last = await send(`${server.url}/health`);
  await linesWith({ requestId: last.headers.get('x-request-id') });

  const log = JSON.stringify(server.lines);
  expect(server.lines.length).toBeGreaterThan(bodies.length * 4);
  expect(log).not.toContain(SECRET);
  // The bytes of a Buffer as pino writes them.
  expect(log).not.toContain([...Buffer.from(SECRET)].join(','));
  for (const token of Object.keys(TOKENS)) expect(log).not.toContain(token);
  for (const id of [session.id, sse.id]) expect(log).not.toContain(id);
  // A stack may name the file bearer-auth.ts.
  expect(log).not.toMatch(/authorization|bearer(?!-auth\.[jt]s)/i);
});
