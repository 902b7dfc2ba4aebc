/** Users who sign in at an identity provider, through the real server: metadata, every route, step-up, and a provider that is unreachable. */
import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PACKAGE } from '../../support/package.ts';
import {
  callTool,
  initialize,
  openMcpSession,
  rpc,
  send,
  sendRaw,
  stateless,
  type Answer,
  type RawSession,
} from '../../support/raw-http.ts';
import { type MadeUpProvider, serveMadeUpProvider } from '../../support/made-up-provider.ts';
import { smoke } from '../../support/smoke-run.ts';
import { openSse } from '../../support/sse-reader.ts';
import { ADA, GREETER, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

let at: MadeUpProvider;
let listening: Server;
let server: TestServer;
let url: string;
/** The variables of a server that trusts this provider. */
const variables = (): Record<string, string> => ({
  OAUTH_ISSUER: at.issuer,
  OAUTH_CLIENT_ID: 'mcp',
  OAUTH_CLIENT_SECRET: 'secret',
  AUTH_FAILURES_PER_MINUTE: '100000',
});
beforeAll(async () => {
  ({ server: listening, provider: at } = await serveMadeUpProvider());
  server = await startTestServer({ env: variables() });
  ({ url } = server);
});
afterAll(async () => {
  await server.close();
  listening.close();
});
beforeEach(() => {
  at.isUp = true;
});

/** A valid token of the provider; `more` replaces or adds claims. */
async function tokenOf(sub: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return at.sign({
    iss: at.issuer,
    sub,
    aud: [`${url}/mcp`, `${url}/sse`],
    exp: nowSeconds + 300,
    scope: 'greet echo',
    ...more,
  });
}

/** What `whoami` returns in a session. */
async function whoIs(session: RawSession): Promise<{ userId: string }> {
  const { body } = await session.post(callTool(9, 'whoami'));
  return JSON.parse((body as { result: { content: [{ text: string }] } }).result.content[0].text) as {
    userId: string;
  };
}

describe('the metadata for clients', () => {
  test('names the provider, in the document to which a 401 points', async () => {
    const refused = await send(`${url}/mcp`, { body: initialize() });
    const pointer = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1];
    const document = await send(pointer ?? '');

    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="mcp", resource_metadata="${url}/.well-known/oauth-protected-resource/mcp", scope="greet echo"`,
    );
    expect(document.body).toEqual({
      resource: `${url}/mcp`,
      authorization_servers: [at.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['greet', 'echo'],
      resource_name: PACKAGE.name,
      resource_documentation: `${url}/`,
    });
  });

  test('has the base path of PUBLIC_URL in every URL, and tokens must be issued for that path', async () => {
    const base = 'https://my-app.example/apps/x';
    const under = await startTestServer({ env: { ...variables(), PUBLIC_URL: `${base}/` } });
    const ask = async (path: string, ...headers: string[]) =>
      sendRaw(under.url, [`GET ${path} HTTP/1.1`, 'Host: my-app.example', ...headers]);
    const withToken = async (aud: string) =>
      (await ask('/tools', `Authorization: Bearer ${await tokenOf('ada', { aud })}`)).status;

    const refused = await ask('/mcp');
    const documents = [
      await ask('/.well-known/oauth-protected-resource/mcp'),
      await ask('/.well-known/oauth-protected-resource/apps/x/mcp'),
      await ask('/apps/x/.well-known/oauth-protected-resource/mcp'),
    ];
    const statuses = [await withToken(base), await withToken(`${base}/mcp`), await withToken(`${base}/`)];
    const foreign = [await withToken('https://my-app.example/mcp'), await withToken(`${base}-other/mcp`)];
    await under.close();

    expect(refused.headers.get('www-authenticate')).toContain(
      `resource_metadata="${base}/.well-known/oauth-protected-resource/mcp"`,
    );
    for (const { body } of documents)
      expect(body).toMatchObject({ resource: `${base}/mcp`, authorization_servers: [at.issuer] });
    expect([statuses, foreign]).toEqual([
      [200, 200, 200],
      [401, 401],
    ]);
  });

  test.each([
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/authorize'],
    ['POST', '/token'],
    ['POST', '/register'],
    ['POST', '/revoke'],
  ])('is not at %s %s, which is a 404 that says where to sign in', async (method, path) => {
    const { status, body } = await send(url + path, { method });

    expect({ status, body }).toMatchObject({
      status: 404,
      body: { error_description: expect.stringContaining(`sign in at ${at.issuer}.`) },
    });
  });

  test('is linked from the JSON at /', async () => {
    const { body } = await send(`${url}/`, { headers: { Accept: 'application/json' } });

    expect(body).toMatchObject({ signIn: '/.well-known/oauth-protected-resource/mcp' });
  });
});

describe('a token of the provider', () => {
  test('gives its user access to every route', async () => {
    const token = await tokenOf('grace', { name: 'Grace Hopper' });
    const session = await openMcpSession(url, token);
    const sse = await openSse(url, token);

    const tools = await send(`${url}/tools`, { token });
    const alone = await send(
      `${url}/mcp`,
      stateless({ method: 'tools/call', params: { name: 'whoami' } }, { token }),
    );
    await sse.post(callTool(1, 'get_greeting', { name: 'Zoë' }));

    expect(tools.body).toMatchObject({ user: { name: 'Grace Hopper' } });
    expect(await whoIs(session)).toMatchObject({
      userId: 'grace',
      name: 'Grace Hopper',
      scopes: ['greet', 'echo'],
    });
    expect(alone.text).toContain('Grace Hopper');
    expect(JSON.stringify(await sse.answerTo(1))).toContain('Hello, Zoë!');
    sse.close();
  });

  test('gives no access to a session of a user of the token file with the same id', async () => {
    const session = await openMcpSession(url, ADA);
    const token = await tokenOf('ada', { name: 'Ada Lovelace' });

    const stolen = await send(`${url}/mcp`, {
      token,
      headers: { 'Mcp-Session-Id': session.id },
      body: rpc(1, 'ping'),
    });
    const own = await openMcpSession(url, token);

    expect(stolen.status).toBe(404);
    expect([(await whoIs(session)).userId, (await whoIs(own)).userId]).toEqual(['ada', 'ada']);
  });

  test.each([
    ['without an audience', { aud: undefined }, /Audience mapper/],
    ['for another audience', { aud: 'https://other.example/mcp' }, /is not this server/],
    ['that has expired', { exp: 1 }, /has expired/],
  ])('%s is a 401 with the reason', async (_, claims, words) => {
    const { status, body, headers } = await send(`${url}/mcp`, {
      token: await tokenOf('ada', claims),
      body: initialize(),
    });

    expect({ status, body }).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', error_description: expect.stringMatching(words) },
    });
    expect(headers.get('www-authenticate')).toMatch(/error="invalid_token".*resource_metadata=/);
  });

  test('ends its streams when it expires', async () => {
    const sse = await openSse(url, await tokenOf('hedy', { exp: Math.floor(Date.now() / 1000) + 2 }));

    expect(sse.status).toBe(200);
    expect(await sse.over(5_000)).toBe('ended');
  });

  test('may be opaque, and is refused when the provider says that it is not active', async () => {
    at.opaque.set('opaque_1', {
      active: true,
      iss: at.issuer,
      sub: 'grace',
      aud: `${url}/mcp`,
      scope: 'greet',
      exp: Math.floor(Date.now() / 1000) + 300,
    });

    const good = await send(`${url}/tools`, { token: 'opaque_1' });
    const bad = await send(`${url}/tools`, { token: 'opaque_2' });

    expect([good.status, bad.status]).toEqual([200, 401]);
    expect(bad.body).toMatchObject({ error_description: expect.stringContaining('not active') });
  });

  test('is in no line of the log', () => {
    expect(JSON.stringify(server.lines)).not.toMatch(/eyJ|opaque_\d/);
  });
});

test('a token of the token file works beside the provider, which is not asked about it', async () => {
  const before = at.asked.length;

  const { status, body } = await send(`${url}/tools`, { token: ADA });

  expect({ status, body }).toMatchObject({ status: 200, body: { user: { userId: 'ada' } } });
  expect(at.asked.length).toBe(before);
});

test('an unreachable provider makes its tokens 503, never 401, and does not affect tokens of the token file', async () => {
  const fresh = await startTestServer({ env: variables() });
  at.isUp = false;
  const token = await tokenOf('ada', { aud: `${fresh.url}/mcp` });

  const [unknown, again] = [
    await send(`${fresh.url}/tools`, { token }),
    await send(`${fresh.url}/register`, { method: 'POST', token }),
  ];
  const file = await send(`${fresh.url}/tools`, { token: ADA });
  await fresh.close();

  expect([unknown.status, again.status, file.status]).toEqual([503, 503, 200]);
  expect(Number(unknown.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(unknown.headers.get('www-authenticate')).toBeNull();
  expect(fresh.lines.filter(({ msg }) => msg === 'identity provider cannot be asked')).not.toEqual([]);
});

test('npm run smoke passes with tokens of the provider, and says which users of its own they are', async () => {
  const own = await startTestServer({ env: { ...variables(), SSE_KEEPALIVE_SECONDS: '1' } });
  const two = await tokenOf('8', { aud: own.url });
  // Of a character at this end only the first two bits count: `x` would be the same.
  let one = '';
  while (!one.endsWith('w')) one = await tokenOf('7', { aud: own.url });

  const run = await smoke(own.url, '--token', one, '--token2', two, '--expect-user', `${at.issuer}#7`);
  await own.close();

  expect(run.ids('failed')).toEqual([]);
  expect(run.step('stateless').detail).toContain(`called, as ${at.issuer}#7`);
  expect(run.step('two-users').detail).toContain(`${at.issuer}#7 and ${at.issuer}#8`);
});

test('npm run smoke does not take the server for a proxy when the provider cannot be reached', async () => {
  const own = await startTestServer({ env: variables() });
  at.isUp = false;

  const run = await smoke(own.url, '--token', await tokenOf('ada'));
  await own.close();

  expect(run.step('tools')).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('answered 503 (This server cannot check the token at the moment.'),
    advice: expect.stringContaining('identity provider cannot be asked'),
  });
});

/** A stateless call. */
const callAlone = (token: string) =>
  stateless(
    { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'x' } } },
    { token },
  );

describe('a call without the scope that it needs', () => {
  const echo = callTool(1, 'echo_message', { message: 'x' });

  /** The same call over each transport and with each revision of the protocol. */
  const ways: readonly (readonly [string, (token: string) => Promise<Answer>])[] = [
    ['a session of 2025-11-25', async (token) => (await openMcpSession(url, token)).post(echo)],
    [
      'a batch of 2025-03-26',
      async (token) => (await openMcpSession(url, token, '2025-03-26')).post([rpc(2, 'ping'), echo]),
    ],
    ['Streamable HTTP without a session', async (token) => send(`${url}/mcp`, { token, body: echo })],
    ['2026-07-28', async (token) => send(`${url}/mcp`, callAlone(token))],
    [
      'HTTP+SSE',
      async (token) => {
        const sse = await openSse(url, token);
        const answer = await sse.post(echo);
        sse.close();
        return answer;
      },
    ],
  ];

  test.each(ways)('over %s is a 403 that names the scopes to sign in for', async (way, call) => {
    const answer = await call(await tokenOf('greta', { scope: 'greet openid' }));

    const path = way === 'HTTP+SSE' ? '/sse' : '/mcp';
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="mcp", error="insufficient_scope", error_description="This needs the scope echo. Sign in again and allow it.", ' +
        `resource_metadata="${url}/.well-known/oauth-protected-resource${path}", scope="greet echo"`,
    );
    expect(answer.body).toMatchObject({ error: { data: { error: 'insufficient_scope' } } });
  });

  test('in a batch of several is a 403 that names the scopes of all of them', async () => {
    const token = await tokenOf('greta', { scope: '' });
    const session = await openMcpSession(url, token, '2025-03-26');

    const answer = await session.post([
      callTool(1, 'get_greeting'),
      callTool(2, 'echo_message', { message: 'x' }),
    ]);

    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('scope="greet echo"');
  });

  test('is of a tool that is listed all the same, as the user can obtain the scope', async () => {
    const session = await openMcpSession(url, await tokenOf('greta', { scope: 'greet' }));

    const { text } = await session.post(rpc(1, 'tools/list'));

    expect(text).toContain('echo_message');
  });

  test('is a tool error with a token of the token file, whose scopes no sign-in extends', async () => {
    const session = await openMcpSession(url, GREETER);

    const [list, call] = [await session.post(rpc(1, 'tools/list')), await session.post(echo)];

    expect(list.text).not.toContain('echo_message');
    expect([call.status, call.text]).toEqual([200, expect.stringContaining('insufficient_scope')]);
  });

  test('is a tool error with OAUTH_STEP_UP=false', async () => {
    const plain = await startTestServer({ env: { ...variables(), OAUTH_STEP_UP: 'false' } });
    const token = await tokenOf('greta', { scope: 'greet', aud: plain.url });
    const session = await openMcpSession(plain.url, token);

    const [list, call] = [await session.post(rpc(1, 'tools/list')), await session.post(echo)];
    await plain.close();

    expect(list.text).not.toContain('echo_message');
    expect([call.status, call.text]).toEqual([200, expect.stringContaining('insufficient_scope')]);
  });
});

test('the server needs no token file beside a provider', async () => {
  const alone = await startTestServer({
    env: { ...variables(), TOKENS_FILE: '', OAUTH_AUDIENCE: 'api://mcp' },
    tokens: TOKENS,
  });
  const token = await tokenOf('ada', { aud: 'api://mcp' });

  const [good, bad] = [
    await send(`${alone.url}/tools`, { token }),
    await send(`${alone.url}/tools`, { token: ADA }),
  ];
  await alone.close();

  expect([good.status, bad.status]).toEqual([200, 401]);
});
