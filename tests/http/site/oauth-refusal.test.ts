/** The paths where clients look for OAuth answer in JSON what is wrong with the credential of the request. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send } from '../../support/raw-http.ts';
import { ADA, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let open: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    env: { AUTH_FAILURES_PER_MINUTE: '100000' },
    tokens: { ...TOKENS, tok_future: { userId: 'next', notBefore: '2999-01-01T00:00:00Z' } },
  });
  open = await startTestServer({ env: { AUTH_ENABLED: 'false' } });
});
afterAll(async () => {
  await Promise.all([server.close(), open.close()]);
});

const PLACES = [
  ['POST', '/register'],
  ['GET', '/register'],
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', '/.well-known/oauth-authorization-server/mcp'],
  ['GET', '/.well-known/oauth-protected-resource'],
  ['GET', '/.well-known/oauth-protected-resource/mcp'],
  ['GET', '/.well-known/oauth-protected-resource/sse'],
  ['GET', '/.well-known/openid-configuration'],
  ['GET', '/.well-known/openid-configuration/mcp'],
  ['GET', '/.well-known/'],
  ['GET', '/.well-known'],
  ['GET', '/.well-known/a/b/c/d'],
  ['GET', '/.well-known/%zz'],
  ['GET', '/.well-known/%ff%00'],
] as const;

/** Registers as an OAuth client does, with the headers of the user. */
const register = (headers: Record<string, string>, { url } = server) =>
  send(`${url}/register`, {
    headers,
    body: { client_name: 'a client', redirect_uris: ['http://127.0.0.1:1/'] },
  });

describe.each(PLACES)('%s %s', (method, path) => {
  test('is a 404 in JSON with the error invalid_request', async () => {
    const answer = await send(`${server.url}${path}`, { method });

    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.body).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(/No credential was sent.*client configuration/),
    });
  });
});

describe('POST /register', () => {
  test.each([
    ['missing', {}, /No credential was sent.*Set the header in the client configuration/],
    ['malformed', { Authorization: ADA }, /must read 'Bearer <token>'.*Set the header/],
    ['an unreplaced variable', { Authorization: 'Bearer ${TOKEN}' }, /variable.*Set the header/],
    [
      'unknown',
      { Authorization: 'Bearer tok_wrong' },
      /unknown.*Change the token in the client configuration/,
    ],
    ['expired', { Authorization: 'Bearer tok_expired_0123456789' }, /has expired.*Change the token/],
    ['disabled', { Authorization: 'Bearer tok_disabled_0123456789' }, /disabled.*Change the token/],
    ['not yet valid', { 'x-api-key': 'tok_future' }, /not valid yet/],
    ['valid', { Authorization: `Bearer ${ADA}` }, /The token is valid/],
  ])(
    'says what to change when the credential is %s',
    async (_what, headers: Record<string, string>, words) => {
      const answer = await register(headers);

      expect([answer.status, answer.body]).toEqual([
        404,
        { error: 'invalid_request', error_description: expect.stringMatching(words) },
      ]);
      expect(answer.text).not.toContain('tok_');
    },
  );

  test('names the header in the form that mcp-remote takes', async () => {
    const answer = await register({});

    expect(answer.text).toContain("--header 'Authorization:${AUTH_HEADER}'");
  });

  test('tells a client to send no token when authentication is off', async () => {
    const answer = await register({ Authorization: `Bearer ${ADA}` }, open);

    expect([answer.status, answer.body]).toEqual([
      404,
      { error: 'invalid_request', error_description: expect.stringContaining('without authentication') },
    ]);
  });

  test('does not read the body, however malformed', async () => {
    const answer = await send(`${server.url}/register`, {
      body: '{{{',
      headers: { 'Content-Type': 'text/plain' },
    });

    expect(answer.status).toBe(404);
  });
});
