/** What anyone may see (the endpoints, liveness, readiness), the list of tools for users, and the headers of every answer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PACKAGE } from '../../support/package.ts';
import { initialize, openMcpSession, rpc, send, stateless } from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { ADA, BOB, GREETER, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let open: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { PUBLIC_URL: 'https://my-app.example' } });
  open = await startTestServer({ env: { AUTH_ENABLED: 'false', SSE_ENABLED: 'false' } });
});
afterAll(async () => {
  await Promise.all([server.close(), open.close()]);
});

describe('/health and /ready', () => {
  test.each([
    ['/health', { status: 'ok', version: expect.any(String) }],
    ['/ready', { status: 'ready' }],
  ])('%s answers GET and HEAD without a credential', async (path, body) => {
    const got = await send(`${server.url}${path}`);
    const headed = await send(`${server.url}${path}`, { method: 'HEAD' });

    expect([got.status, got.body]).toEqual([200, body]);
    expect(got.headers.get('content-type')).toMatch(/^application\/json/);
    expect([headed.status, headed.text]).toEqual([200, '']);
    expect(headed.headers.get('content-length')).toBe(got.headers.get('content-length'));
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is 405 with Allow', async (method) => {
    const answer = await send(`${server.url}/health`, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('GET / for a program', () => {
  const JSON_ONLY = { Accept: 'application/json' };

  test('is JSON that names the endpoints', async () => {
    const { body } = await send(`${server.url}/`, { headers: JSON_ONLY });

    expect(body).toMatchObject({
      name: PACKAGE.name,
      authentication: 'bearer',
      transports: { 'streamable-http': 'https://my-app.example/mcp', sse: 'https://my-app.example/sse' },
    });
  });

  test('answers HEAD', async () => {
    const answer = await send(`${server.url}/`, { method: 'HEAD' });

    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test('discloses no token and no user', async () => {
    const { text } = await send(`${server.url}/`, { headers: JSON_ONLY });

    const facts = [...Object.keys(TOKENS), 'Ada Lovelace', 'Bob', 'Greta', 'greta', server.tokensPath];
    expect(facts.filter((fact) => text.includes(fact))).toEqual([]);
  });

  test('says that authentication is off, and leaves out a transport that is off', async () => {
    const { body, text } = await send(`${open.url}/`, { headers: JSON_ONLY });

    expect(body).toMatchObject({ authentication: 'none', transports: { 'streamable-http': '/mcp' } });
    expect(text).not.toContain('sse');
  });
});

describe('GET /tools', () => {
  test('lists the tools that the user may call, and names the user', async () => {
    const [ada, greeter] = await Promise.all(
      [ADA, GREETER].map(async (token) => send(`${server.url}/tools`, { token })),
    );

    expect(ada?.body).toEqual({
      tools: ['get_greeting', 'echo_message', 'whoami'].map((name) => ({
        name,
        title: expect.any(String),
        description: expect.any(String),
        inputSchema: expect.objectContaining({ type: 'object' }),
      })),
      user: { userId: 'ada', name: 'Ada Lovelace' },
    });
    expect(greeter?.body).toMatchObject({
      tools: [{ name: 'get_greeting' }, { name: 'whoami' }],
      user: { userId: 'greta', name: 'Greta' },
    });
  });

  test('names the scope of each tool with ?scopes', async () => {
    const { body } = await send(`${server.url}/tools?scopes`, { token: ADA });

    const { tools } = body as { tools: { name: string; scope?: string }[] };
    expect(tools.map(({ name, scope }) => [name, scope])).toEqual([
      ['get_greeting', 'greet'],
      ['echo_message', 'echo'],
      ['whoami', undefined],
    ]);
  });

  test('names the right user when two users have the same list', async () => {
    const [ada, bob] = await Promise.all(
      [ADA, BOB].map(async (token) => send(`${server.url}/tools`, { token })),
    );

    expect(ada?.body).toMatchObject({ user: { userId: 'ada' } });
    expect(bob?.body).toMatchObject({ user: { userId: 'bob', name: 'Bob' } });
  });

  test('lists every tool when authentication is off', async () => {
    const answer = await send(`${open.url}/tools`);

    expect(answer.body).toMatchObject({ tools: [{}, {}, {}], user: { userId: 'anonymous' } });
  });

  test('answers HEAD', async () => {
    const answer = await send(`${server.url}/tools`, { token: ADA, method: 'HEAD' });

    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test.each(['POST', 'DELETE'])('%s is 405 with Allow', async (method) => {
    const answer = await send(`${server.url}/tools`, { token: ADA, method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

/** An answer of every kind that the MCP endpoints give, in whichever way it is written. */
async function askMcp(): Promise<{ headers: Headers }[]> {
  const sse = await openSse(server.url, ADA);
  const session = await openMcpSession(server.url, ADA);
  const own = await openStream(`${server.url}/mcp`, { headers: session.headers });
  const progress = { name: 'get_greeting', arguments: {}, _meta: { progressToken: 1 } };
  const greeting = { method: 'tools/call', params: { name: 'get_greeting', arguments: {} } };
  const preflight = { Origin: server.url, 'Access-Control-Request-Method': 'POST' };
  const answers = [
    sse,
    own,
    await sse.post(rpc(1, 'ping')),
    await session.post(rpc(1, 'tools/call', progress)),
    await session.post(rpc(2, 'nonsense')),
    await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    await send(`${server.url}/mcp`, stateless(greeting, { token: ADA })),
    await send(`${server.url}/mcp`, stateless({ method: 'tools/list' }, { token: ADA })),
    await send(`${server.url}/mcp`, { method: 'OPTIONS', headers: preflight }),
    await send(`${server.url}/mcp`, { method: 'PUT', token: ADA }),
    await send(`${server.url}/mcp`, { method: 'DELETE', headers: session.headers }),
  ];
  sse.close();
  own.close();
  return answers;
}

test('every answer has the security headers and a request id, and does not name its software', async () => {
  const stream = await openStream(`${server.url}/sse`, { token: ADA });
  const answers = [
    stream,
    ...(await askMcp()),
    await send(`${server.url}/`),
    await send(`${server.url}/health`),
    await send(`${server.url}/tools`, { token: ADA }),
    await send(`${server.url}/tools`),
    await send(`${server.url}/nowhere`),
    await send(`${server.url}/register`, { method: 'POST' }),
    await send(`${server.url}/mcp`, { token: ADA, body: initialize() }),
    await send(`${server.url}/mcp`, { token: ADA, body: '{' }),
    await send(`${server.url}/mcp`, { token: ADA, body: 'x'.repeat(4_200_000) }),
    await send(`${server.url}/health`, { headers: { Origin: 'null' } }),
  ];
  stream.close();

  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; [^,]*$/);
    // Each header occurs once: doubled, its values would be joined here.
    expect(headers.get('cache-control')).toMatch(/^(no-store|no-cache, no-transform|no-cache)$/);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect([headers.get('x-powered-by'), headers.get('server')]).toEqual([null, null]);
  }
});
