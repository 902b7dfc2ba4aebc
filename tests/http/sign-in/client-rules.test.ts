/** What each client requires of an authorization server: a test for every rule whose breach stopped one of them elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requireOwnResources } from '../../../src/auth/sign-in/resources.ts';
import { send } from '../../support/raw-http.ts';
import {
  allow,
  askFor,
  exchange,
  LOOPBACK,
  newSecret,
  openPage,
  refresh,
  register,
  sendForm,
  signIn,
  ticketOf,
  type Tokens,
} from '../../support/sign-in.ts';
import { ADA, GREETER, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let url = '';
beforeAll(async () => {
  server = await startTestServer({
    env: {
      SERVER_SECRET: newSecret(),
      AUTH_FAILURES_PER_MINUTE: '100000',
      OAUTH_REDIRECT_URIS: 'app://cb?a=%20b',
    },
  });
  ({ url } = server);
});
afterAll(async () => server.close());

/** The id of a client with these redirect URIs. */
const clientWith = async (...uris: string[]): Promise<string> =>
  String((await register(url, { redirect_uris: uris }))['client_id']);

describe('a loopback redirect', () => {
  test.each([
    ['http://localhost:3118/callback', 'http://localhost:54321/callback', 200],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:54321/callback', 200],
    ['http://[::1]/callback', 'http://[::1]:54321/callback', 200],
    ['http://127.0.0.1:33418/', 'http://127.0.0.1:40000/', 200],
    ['http://127.0.0.1:33418', 'http://127.0.0.1:40000/', 200],
    ['http://localhost/cb?a=1', 'http://localhost:5/cb?a=1', 200],
    ['http://localhost/callback', 'http://127.0.0.1/callback', 400],
    ['http://127.0.0.1/callback', 'http://[::1]/callback', 400],
    ['http://localhost/callback', 'http://localhost:5/callback/', 400],
    ['http://localhost/callback', 'http://localhost:5/other', 400],
    ['http://localhost/callback', 'http://localhost:5/callback?x=1', 400],
    ['http://localhost/callback', 'https://localhost:5/callback', 400],
    ['http://localhost/callback', 'http://localhost:5@evil.example/callback', 400],
    ['http://localhost/callback', 'http://localhost.evil.example/callback', 400],
    ['http://localhost/callback', 'http://localhost:70000/callback', 400],
    ['http://localhost/callback', 'http://LOCALHOST/callback', 400],
  ])('registered as %s and requested as %s gets %i', async (known, asked, status) => {
    for (const application_type of ['web', 'native', undefined]) {
      const client = await register(url, { redirect_uris: [known], application_type });
      const page = await openPage(url, askFor(url, String(client['client_id']), { redirect_uri: asked }));

      expect(page.status).toBe(status);
      expect(page.headers.get('location')).toBeNull();
    }
  });
});

describe('registration', () => {
  test('keeps the allowed redirect URIs of Cursor and leaves out one that is not allowed', async () => {
    const uris = [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ];

    const answer = await register(url, { redirect_uris: [...uris, 'https://evil.example/cb'] });

    expect(answer['redirect_uris']).toEqual(uris);
    expect(String(answer['client_id']).length).toBeLessThan(350);
  });

  test.each([
    ['https://evil.example/cb'],
    ['http://evil.example/cb'],
    ['https://claude.ai.evil.example/api/mcp/auth_callback'],
    ['https://claude.ai/api/mcp/auth_callback/'],
    ['https://claude.ai:8443/api/mcp/auth_callback'],
    ['https://user@claude.ai/api/mcp/auth_callback'],
    ['https://claude.ai/api/mcp/auth_callback#x'],
    ['https://chatgpt.com/connector/oauth/a/b'],
    ['https://chatgpt.com/connector/oauth/..%2f'],
    ['javascript:alert(1)'],
    ['data:text/html,x'],
    ['vscode://vscode.mcp/cb'],
    ['http://localhost/cb?code=x'],
    ['http://localhost/cb?iss=x'],
    ['http://localhost/cb#x'],
    ['http://localhost\\@evil.example/'],
    ['http://127.0.0.2/cb'],
    ['app://cb'],
    [' http://localhost/'],
    ['http://local host/'],
  ])('refuses a client whose only redirect URI is %s', async (uri) => {
    const answer = await send(`${url}/register`, { body: { redirect_uris: [uri] } });

    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: 'invalid_redirect_uri',
        error_description: expect.stringContaining('OAUTH_REDIRECT_URIS'),
      },
    });
  });

  test.each([
    ['https://claude.ai/api/mcp/auth_callback'],
    ['https://claude.com/api/mcp/auth_callback'],
    ['https://chatgpt.com/connector/oauth/AbC_d-9'],
    ['https://chatgpt.com/connector_platform_oauth_redirect'],
    ['https://vscode.dev/redirect'],
    ['https://insiders.vscode.dev/redirect'],
    ['http://127.0.0.1:33418/'],
    ['app://cb?a=%20b'],
  ])('accepts the redirect URI %s', async (uri) => {
    expect((await register(url, { redirect_uris: [uri] }))['redirect_uris']).toEqual([uri]);
  });

  test('returns no null, treats null as absent, and returns times as whole seconds', async () => {
    const answer = await register(url, {
      token_endpoint_auth_method: 'client_secret_post',
      client_name: null,
      logo_uri: null,
      scope: null,
      application_type: null,
      software_id: 'x',
    });

    expect(Object.values(answer)).not.toContain(null);
    expect(answer['client_id_issued_at']).toEqual(expect.any(Number));
    expect(Number.isInteger(answer['client_id_issued_at'])).toBe(true);
    expect(answer['client_secret_expires_at']).toBe(0);
    expect(answer).not.toHaveProperty('scope');
  });

  test.each([
    ['client_secret_basic', undefined],
    ['client_secret_basic', 'client_secret_basic'],
    ['client_secret_post', 'client_secret_post'],
    ['none', 'none'],
  ])(
    'answers with the method %s when %s is requested, and with a secret unless it is none',
    async (method, asked) => {
      const answer = await register(url, { token_endpoint_auth_method: asked });

      expect(answer['token_endpoint_auth_method']).toBe(method);
      expect(typeof answer['client_secret']).toBe(method === 'none' ? 'undefined' : 'string');
    },
  );

  test.each([
    ['no JSON', '{', 'invalid_client_metadata'],
    ['a list', [], 'invalid_client_metadata'],
    ['a number', 1, 'invalid_client_metadata'],
    ['no redirects', {}, 'invalid_redirect_uri'],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['numbers for redirects', { redirect_uris: [1] }, 'invalid_redirect_uri'],
    ['eleven redirects', { redirect_uris: Array(11).fill(LOOPBACK) }, 'invalid_redirect_uri'],
    ['a long redirect', { redirect_uris: [`${LOOPBACK}/${'a'.repeat(512)}`] }, 'invalid_redirect_uri'],
    [
      'private_key_jwt',
      { redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
    ],
    [
      'a grant other than authorization_code',
      { redirect_uris: [LOOPBACK], grant_types: ['client_credentials'] },
      'invalid_client_metadata',
    ],
    [
      'a response type other than code',
      { redirect_uris: [LOOPBACK], response_types: ['token'] },
      'invalid_client_metadata',
    ],
  ])('refuses %s', async (_what, body, error) => {
    expect(await send(`${url}/register`, { body })).toMatchObject({ status: 400, body: { error } });
  });

  test('refuses metadata larger than 16 KiB', async () => {
    const answer = await send(`${url}/register`, {
      body: { redirect_uris: [LOOPBACK], client_name: 'x'.repeat(20_000) },
    });

    expect(answer.status).toBe(413);
  });

  test('shows a client name without control characters, escaped and shortened', async () => {
    const id = String(
      (await register(url, { client_name: `A\u202Eb\u0000<i>${'x'.repeat(500)}` }))['client_id'],
    );

    const { text } = await openPage(url, askFor(url, id));

    expect(text).toContain('Ab&#60;i&#62;xxx');
    expect(text).not.toContain('\u202E');
    expect(text).not.toContain('x'.repeat(100));
  });
});

describe('the scopes', () => {
  test.each([
    ['openid profile email', 'greet echo'],
    ['claudeai', 'greet echo'],
    ['offline_access', 'greet echo offline_access'],
    ['greet', 'greet'],
    ['greet openid offline_access', 'greet offline_access'],
    [undefined, 'greet echo'],
  ])('of a request for %s are granted as %s, whatever was registered', async (scope, granted) => {
    const parameters = scope === undefined ? {} : { scope };
    const answer = await signIn(url, ADA, { metadata: { scope: 'greet' }, parameters });

    expect(answer.scope).toBe(granted);
  });

  test('that the entry lacks are not granted', async () => {
    expect((await signIn(url, GREETER, { parameters: { scope: 'echo greet' } })).scope).toBe('greet');
    expect((await signIn(url, GREETER, { parameters: { scope: 'echo' } })).scope).toBe('');
  });
});

describe('refresh tokens', () => {
  test('are issued to every client with that grant, whether it asks for offline_access or not', async () => {
    const both = await signIn(url, ADA, {
      metadata: { grant_types: ['authorization_code', 'refresh_token'] },
    });
    const unsaid = await signIn(url, ADA);
    const one = await signIn(url, ADA, { metadata: { grant_types: ['authorization_code'] } });

    expect([both, unsaid, one].map(({ refresh_token: token }) => typeof token)).toEqual([
      'string',
      'string',
      'undefined',
    ]);
  });

  test('are not issued or mentioned with OAUTH_REFRESH_SECONDS=0', async () => {
    const without = await startTestServer({
      env: { SERVER_SECRET: newSecret(), OAUTH_REFRESH_SECONDS: '0', AUTH_FAILURES_PER_MINUTE: '100000' },
    });

    const { body: metadata } = await send(`${without.url}/.well-known/oauth-authorization-server`);
    const registered = await register(without.url);
    const asking = askFor(without.url, String(registered['client_id']), { scope: 'greet offline_access' });
    const { text: page } = await openPage(without.url, asking);
    const answer = await signIn(without.url, ADA, { parameters: { scope: 'greet offline_access' } });
    await without.close();

    expect(metadata).toMatchObject({
      grant_types_supported: ['authorization_code'],
      scopes_supported: ['greet', 'echo'],
    });
    expect(registered['grant_types']).toEqual(['authorization_code']);
    expect(page).not.toContain('stays signed in');
    expect(answer).toMatchObject({ scope: 'greet' });
    expect(answer).not.toHaveProperty('refresh_token');
  });

  test('may be used ten times at once, and every token that this yields is valid', async () => {
    const { clientId, refresh_token: token } = await signIn(url, ADA);

    const answers = await Promise.all(Array.from({ length: 10 }, async () => refresh(url, clientId, token)));
    const users = await Promise.all(
      answers.map(
        async ({ body }) => (await send(`${url}/tools`, { token: (body as Tokens).access_token })).status,
      ),
    );
    const next = await Promise.all(
      answers.map(async ({ body }) => (await refresh(url, clientId, (body as Tokens).refresh_token)).status),
    );

    expect([...users, ...next]).toEqual(Array(20).fill(200));
  });

  test('revoke the sign-in when they are two generations old', async () => {
    const first = await signIn(url, ADA);
    const second = (await refresh(url, first.clientId, first.refresh_token)).body as Tokens;
    const third = (await refresh(url, first.clientId, second.refresh_token)).body as Tokens;

    const old = await refresh(url, first.clientId, first.refresh_token);
    const newest = await refresh(url, first.clientId, third.refresh_token);
    const call = await send(`${url}/tools`, { token: third.access_token });

    expect([old, newest]).toMatchObject([
      { body: { error: 'invalid_grant' } },
      { body: { error: 'invalid_grant' } },
    ]);
    expect(call.status).toBe(401);
  });
});

describe('error codes at the token endpoint', () => {
  test.each([
    ['mcp_ci_forged', 401],
    ['', 401],
    ['https://evil.example/client.json', 401],
  ])(
    'for an unknown client %j are invalid_client with %i, so that it registers again',
    async (id, status) => {
      for (const grant of ['authorization_code', 'refresh_token']) {
        const fields = {
          grant_type: grant,
          client_id: id,
          code: 'x',
          refresh_token: 'x',
          code_verifier: 'x',
        };

        const answer = await sendForm(`${url}/token`, fields);

        expect(answer).toMatchObject({ status, body: { error: 'invalid_client' } });
      }
    },
  );

  test('for a wrong secret by HTTP Basic come with a Basic challenge', async () => {
    const client = await register(url, { token_endpoint_auth_method: 'client_secret_basic' });
    const basic = (secret: string): string =>
      `Basic ${Buffer.from(`${String(client['client_id'])}:${secret}`).toString('base64')}`;

    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    const wrong = await sendForm(`${url}/token`, form, { Authorization: basic('mcp_cs_wrong') });
    const right = await sendForm(`${url}/token`, form, {
      Authorization: basic(String(client['client_secret'])),
    });

    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(right).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each(['client_secret_post', 'client_secret_basic'])(
    'let a client with a secret for %s send it in either way, but not omit it',
    async (method) => {
      const client = await register(url, { token_endpoint_auth_method: method });
      const [id, secret] = [String(client['client_id']), String(client['client_secret'])];
      const asking = askFor(url, id);
      const code = (await allow(url, asking, ADA)).searchParams.get('code') ?? '';

      const without = await exchange(url, asking, code);
      const posted = await exchange(url, asking, code, { client_secret: secret });

      expect([without.status, posted.status]).toEqual([401, 200]);
    },
  );

  test('/authorize answers an unknown client with JSON or a page, according to Accept', async () => {
    const asking = askFor(url, 'mcp_ci_forged');

    const json = await openPage(url, asking, { Accept: 'application/json' });
    const page = await openPage(url, asking);

    expect(json).toMatchObject({ status: 400, body: { error: 'invalid_client' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
  });
});

describe('a redirect', () => {
  test('keeps the query of the redirect URI byte for byte', async () => {
    const asking = askFor(url, await clientWith('app://cb?a=%20b'), { redirect_uri: 'app://cb?a=%20b' });
    const ticket = ticketOf(await openPage(url, asking));

    const { headers, text } = await sendForm(`${url}/authorize`, { ticket, token: ADA, action: 'allow' });

    expect(headers.get('location')).toMatch(/^app:\/\/cb\?a=%20b&code=mcp_ac_/);
    expect(text).toContain('<a href="app://cb?a=%20b&#38;code=mcp_ac_');
  });

  test.each([
    { what: 'that is too long', parameters: { state: 'x'.repeat(4_097) }, error: 'invalid_request' },
    {
      what: 'that is too long as JSON',
      parameters: { state: '\x01'.repeat(1_400) },
      error: 'invalid_request',
    },
    { what: 'that is too long in UTF-8', parameters: { state: '€'.repeat(1_366) }, error: 'invalid_request' },
    {
      what: 'where none was sent',
      parameters: { state: undefined, prompt: 'none' },
      error: 'interaction_required',
    },
  ])('with an error has no state $what', async ({ parameters, error }) => {
    const asking = askFor(url, await clientWith(LOOPBACK), parameters);

    const { status, headers } = await openPage(url, asking);

    const { searchParams } = new URL(headers.get('location') ?? '');
    expect([status, searchParams.get('error'), searchParams.has('state')]).toEqual([303, error, false]);
  });

  test('reports a parameter that is sent twice, unless it is the client or its redirect URI: those get a page', async () => {
    const { parameters } = askFor(url, await clientWith(LOOPBACK));
    const query = new URLSearchParams(parameters).toString();
    const askTwice = async (name: string) =>
      send(`${url}/authorize?${query}&${name}=other&${name}=another`, { headers: { Accept: 'text/html' } });

    const [scope, unknown, state, ...others] = await Promise.all(
      ['scope', 'unknown', 'state', 'client_id', 'redirect_uri'].map(askTwice),
    );

    for (const answer of [scope, unknown, state]) {
      const { searchParams } = new URL(answer?.headers.get('location') ?? '');
      expect([answer?.status, searchParams.get('error'), searchParams.get('iss')]).toEqual([
        303,
        'invalid_request',
        url,
      ]);
      // Of several states none is the one to give back.
      expect(searchParams.get('state')).toBe(answer === state ? null : parameters['state']);
    }
    for (const { status, headers } of others) expect([status, headers.get('location')]).toEqual([400, null]);
  });

  test.each([
    ['x'.repeat(4_096), 160],
    ['\x01'.repeat(682), 160],
    ['€'.repeat(1_365), 10],
  ])(
    'carries a state of the greatest length, also beside a resource that is named many times',
    async (state, times) => {
      const asking = askFor(url, await clientWith(LOOPBACK), { state });
      const again = `&resource=${encodeURIComponent(url)}`.repeat(times);
      const query = new URLSearchParams(asking.parameters).toString() + again;
      const page = await send(`${url}/authorize?${query}`, { headers: { Accept: 'text/html' } });
      const form = { ticket: ticketOf(page), token: ADA, action: 'allow' };

      const { headers } = await sendForm(`${url}/authorize`, form);

      const { searchParams } = new URL(headers.get('location') ?? '');
      expect(searchParams.get('state')).toBe(state);
      expect((await exchange(url, asking, searchParams.get('code') ?? '')).status).toBe(200);
    },
  );

  test('with an error has the state and exactly one iss', async () => {
    const id = await clientWith(LOOPBACK);
    const wrong: Record<string, string | undefined>[] = [
      { response_type: 'token' },
      { response_type: undefined },
      { code_challenge: undefined },
      { code_challenge: 'short' },
      { code_challenge_method: 'plain' },
      { code_challenge_method: undefined },
      { response_mode: 'fragment' },
      { prompt: 'none' },
      { request: 'x' },
      { request_uri: 'https://x.example' },
      { resource: 'https://other.example/mcp' },
      { resource: `${url}/mcp-other` },
    ];

    const errors: unknown[] = [];
    for (const parameters of wrong) {
      const asking = askFor(url, id, parameters);
      const { status, headers } = await openPage(url, asking);
      const { searchParams } = new URL(headers.get('location') ?? '');
      expect([status, searchParams.get('state'), searchParams.getAll('iss')]).toEqual([
        303,
        asking.state,
        [url],
      ]);
      expect(searchParams.get('code')).toBeNull();
      errors.push(searchParams.get('error'));
    }

    expect(errors).toEqual([
      'unsupported_response_type',
      ...Array<string>(6).fill('invalid_request'),
      'interaction_required',
      'request_not_supported',
      'request_uri_not_supported',
      'invalid_target',
      'invalid_target',
    ]);
  });

  test.each(['', '/', '/mcp', '/mcp/', '/sse', '/messages', '/tools'])(
    'succeeds for a client that names the resource %j of this server',
    async (path) => {
      const asking = askFor(url, await clientWith(LOOPBACK), { resource: url + path });

      expect((await openPage(url, asking)).status).toBe(200);
    },
  );
});

test.each([
  ['in upper case', 'https://My-App.example', 'HTTPS://MY-APP.example/mcp'],
  ['with the default port of the scheme', 'https://my-app.example', 'https://my-app.example:443/mcp'],
  [
    'with the default port, as PUBLIC_URL has it',
    'https://my-app.example:443',
    'https://my-app.example:443/mcp',
  ],
])('a resource with scheme and host written %s is the same resource', (_, issuer, written) => {
  expect(requireOwnResources([written, 'https://my-app.example/mcp'], issuer)).toEqual([
    'https://my-app.example/mcp',
  ]);
  for (const other of [
    'https://my-app.example/MCP',
    'http://my-app.example:443/mcp',
    'https://x@my-app.example/mcp',
  ])
    expect(() => requireOwnResources([other], issuer)).toThrow('The resource is not this server');
});

test('a client that writes its resource differently at the token endpoint gets its token', async () => {
  const asking = askFor(url, await clientWith(LOOPBACK), {
    resource: `${url}/mcp`.replace('http:', 'HTTP:'),
  });
  const code = (await allow(url, asking, ADA)).searchParams.get('code') ?? '';

  expect((await exchange(url, asking, code, { resource: `${url}/mcp` })).status).toBe(200);
});

test.each([
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/token',
  '/register',
  '/revoke',
])('%s allows pages of any origin, without credentials', async (path) => {
  const Origin = 'https://inspector.example';
  const preflight = await send(url + path, {
    method: 'OPTIONS',
    headers: {
      Origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type',
    },
  });
  const answer = await send(url + path, { headers: { Origin } });
  const withoutOrigin = await send(url + path);

  expect(preflight.status).toBe(204);
  for (const { headers } of [preflight, answer, withoutOrigin]) {
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  }
});

describe('POST /register with a credential', () => {
  test.each([
    [
      'wrong',
      { Authorization: 'Bearer tok_wrong' },
      401,
      /unknown to this server.*Change the token in the client/,
    ],
    ['expired', { Authorization: 'Bearer tok_expired_0123456789' }, 401, /has expired/],
    ['empty', { Authorization: '' }, 401, /No credential was sent.*Set the header/],
    ['right', { 'x-api-key': ADA }, 400, /The token is valid: connect with it/],
  ])('that is %s gets the reason and no client', async (_what, headers, status, words) => {
    const answer = await send(`${url}/register`, {
      headers: { ...headers },
      body: { redirect_uris: [LOOPBACK] },
    });

    expect(answer).toMatchObject({ status, body: { error_description: expect.stringMatching(words) } });
    expect(answer.text).not.toContain('client_id');
  });
});

test('POST /register says that registration is off, or what is wrong with the credential', async () => {
  const closed = await startTestServer({
    env: { SERVER_SECRET: newSecret(), OAUTH_REGISTRATION: 'false' },
  });
  const asked = async (headers: Readonly<Record<string, string>>): Promise<unknown> =>
    send(`${closed.url}/register`, { headers, body: { redirect_uris: [LOOPBACK] } });

  const answers = [await asked({}), await asked({ Authorization: 'Bearer tok_wrong' })];
  await closed.close();

  expect(answers).toMatchObject([
    { status: 404, text: expect.stringContaining('cannot register themselves here') as unknown },
    { status: 401, text: expect.stringContaining('Change the token in the client') as unknown },
  ]);
});
