/** Signing in from beginning to end: metadata, the page, the exchange, calls, refresh and revocation. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PACKAGE } from '../../support/package.ts';
import { openMcpSession, send } from '../../support/raw-http.ts';
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
import { ADA, BOB, GREETER, startTestServer, type TestServer } from '../../support/start-server.ts';

const SECRET = newSecret();
let server: TestServer;
let url = '';
beforeAll(async () => {
  server = await startTestServer({ env: { SERVER_SECRET: SECRET, AUTH_FAILURES_PER_MINUTE: '100000' } });
  ({ url } = server);
});
afterAll(async () => server.close());

/** The user of a token by `GET /tools`, or the status of a refusal. */
async function userOf(token: string, at = url): Promise<unknown> {
  const { status, body } = await send(`${at}/tools`, { token });
  return status === 200 ? (body as { user: { userId: string } }).user.userId : status;
}

describe('the metadata for clients', () => {
  test.each([
    ['/mcp', '/mcp'],
    ['/sse', '/sse'],
    ['/messages', '/sse'],
    ['/tools', '/tools'],
  ])('is linked from a 401 at %s', async (path, suffix) => {
    const without = await send(url + path);
    const wrong = await send(url + path, { token: 'tok_wrong' });

    const pointer = `resource_metadata="${url}/.well-known/oauth-protected-resource${suffix}", scope="greet echo"`;
    expect([without.status, wrong.status]).toEqual([401, 401]);
    expect(without.headers.get('www-authenticate')).toBe(`Bearer realm="mcp", ${pointer}`);
    expect(wrong.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="mcp", error="invalid_token", error_desc/,
    );
    expect(wrong.headers.get('www-authenticate')).toContain(pointer);
  });

  test('is linked from the JSON at /', async () => {
    const { body } = await send(`${url}/`, { headers: { Accept: 'application/json' } });

    expect(body).toMatchObject({ signIn: '/.well-known/oauth-protected-resource/mcp' });
  });

  test('names one issuer, byte for byte', async () => {
    const resource = await send(`${url}/.well-known/oauth-protected-resource/mcp`);
    const authorization = await send(`${url}/.well-known/oauth-authorization-server`);

    expect(resource.body).toEqual({
      resource: `${url}/mcp`,
      authorization_servers: [url],
      bearer_methods_supported: ['header'],
      scopes_supported: ['greet', 'echo'],
      resource_name: PACKAGE.name,
      resource_documentation: `${url}/`,
    });
    expect(authorization.body).toMatchObject({
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      registration_endpoint: `${url}/register`,
      revocation_endpoint: `${url}/revoke`,
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['greet', 'echo', 'offline_access'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
    });
  });
});

test('HEAD /authorize has the headers of GET, for a valid request and for an invalid one', async () => {
  const asking = askFor(url, String((await register(url))['client_id']));
  const ask = async (parameters: Record<string, string>, method?: string) =>
    send(`${url}/authorize?${new URLSearchParams(parameters).toString()}`, {
      ...(method !== undefined && { method }),
      headers: { Accept: 'text/html' },
    });
  const heads = [await ask(asking.parameters, 'HEAD'), await ask({}, 'HEAD')];
  const pages = [await ask(asking.parameters), await ask({})];

  expect(heads.map(({ status, text }) => [status, text])).toEqual([
    [200, ''],
    [400, ''],
  ]);
  for (const name of ['content-type', 'content-length', 'content-security-policy'])
    expect(heads.map(({ headers }) => headers.get(name))).toEqual(
      pages.map(({ headers }) => headers.get(name)),
    );
});

describe('a sign-in', () => {
  test('leads from registration to calls as the user of the pasted token', async () => {
    const client = await register(url, { client_name: 'Some client' });
    const asking = askFor(url, String(client['client_id']));
    const page = await openPage(url, asking);
    const callback = await allow(url, asking, ADA);
    const answer = await exchange(url, asking, callback.searchParams.get('code') ?? '');
    const tokens = answer.body as Tokens;
    const session = await openMcpSession(url, tokens.access_token);

    expect(page.text).toContain('Some client');
    expect(callback.origin + callback.pathname).toBe(LOOPBACK);
    expect(callback.searchParams.get('state')).toBe(asking.state);
    expect(callback.searchParams.getAll('iss')).toEqual([url]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 604_800, scope: 'greet echo' });
    expect(await userOf(tokens.access_token)).toBe('ada');
    expect(session.id).toBeTruthy();
  });

  test('continues with refresh tokens, of which the last but one is still valid', async () => {
    const first = await signIn(url, ADA);
    const second = await refresh(url, first.clientId, first.refresh_token);
    const again = await refresh(url, first.clientId, first.refresh_token);

    expect([second.status, again.status]).toEqual([200, 200]);
    expect(await userOf((second.body as Tokens).access_token)).toBe('ada');
    expect(await userOf((again.body as Tokens).access_token)).toBe('ada');
  });

  test('ends when its client revokes it, with all of its tokens', async () => {
    const { access_token: access, refresh_token: token, clientId } = await signIn(url, ADA);

    const revoked = await sendForm(`${url}/revoke`, { token, client_id: clientId });

    expect(revoked.status).toBe(200);
    expect(await userOf(access)).toBe(401);
    expect(await refresh(url, clientId, token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('refuses a wrong token with the reason, and then accepts the right one', async () => {
    const asking = askFor(url, String((await register(url))['client_id']));
    const ticket = ticketOf(await openPage(url, asking));

    const wrong = await sendForm(`${url}/authorize`, { ticket, token: 'tok_wrong', action: 'allow' });
    const right = await sendForm(`${url}/authorize`, {
      ticket: ticketOf(wrong),
      token: ` "Bearer ${BOB}" `,
      action: 'allow',
    });

    expect([wrong.status, right.status]).toEqual([401, 303]);
    expect(wrong.text).toContain('The token is unknown to this server.');
    expect(wrong.text).not.toContain('tok_wrong');
  });

  test('that the user denies redirects with access_denied', async () => {
    const asking = askFor(url, String((await register(url))['client_id']));
    const ticket = ticketOf(await openPage(url, asking));

    const { status, headers } = await sendForm(`${url}/authorize`, { ticket, token: '', action: 'deny' });

    const location = new URL(headers.get('location') ?? '');
    expect(status).toBe(303);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      error: 'access_denied',
      state: asking.state,
      iss: url,
    });
  });

  test('grants no scope that was not requested or that the entry lacks', async () => {
    const asked = await signIn(url, ADA, { parameters: { scope: 'greet openid offline_access' } });
    const held = await signIn(url, GREETER, { parameters: { scope: 'claudeai' } });

    expect([asked.scope, held.scope]).toEqual(['greet offline_access', 'greet']);
  });
});
