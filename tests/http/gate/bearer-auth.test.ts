/** The credential check: which headers may carry a token, and what the answers to wrong credentials say (RFC 6750). */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createAuthenticator } from '../../../src/auth/authenticate.ts';
import { digestToken } from '../../../src/auth/digest.ts';
import { createTokenSet } from '../../../src/auth/tokens/token-set.ts';
import { createUserContext } from '../../../src/auth/user.ts';
import { createApp } from '../../../src/http/app.ts';
import type { Handler } from '../../../src/http/context.ts';
import { createFailureCounter } from '../../../src/http/gate/rate-limit.ts';
import { initialize, openMcpSession, send, sendRaw } from '../../support/raw-http.ts';
import { ADA, BOB, startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

const FUTURE = 'tok_future_0123456789';
let server: TestServer;
let open: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    env: { AUTH_FAILURES_PER_MINUTE: '100000' },
    tokens: { ...TOKENS, [FUTURE]: { userId: 'next', notBefore: '2999-01-01T00:00:00Z' } },
  });
  open = await startTestServer({ env: { AUTH_ENABLED: 'false' } });
});
afterAll(async () => {
  await Promise.all([server.close(), open.close()]);
});

/** `GET /tools` with these headers. */
const getTools = (headers: Record<string, string>, path = '/tools') =>
  send(`${server.url}${path}`, { headers });

describe('a valid token is accepted', () => {
  test.each([
    ['as a bearer token', { Authorization: `Bearer ${ADA}` }],
    ['with the scheme in lower case', { Authorization: `bearer ${ADA}` }],
    ['with the scheme in upper case', { Authorization: `BEARER ${ADA}` }],
    ['after several spaces', { Authorization: `Bearer   ${ADA}` }],
    ['as x-api-key', { 'x-api-key': ADA }],
    ['as x-auth-token', { 'X-Auth-Token': ADA }],
    [
      'in all three headers at once',
      { Authorization: `Bearer ${ADA}`, 'x-api-key': ADA, 'x-auth-token': ADA },
    ],
    ['as x-api-key beside the Basic of a proxy', { Authorization: 'Basic dTpw', 'x-api-key': ADA }],
  ])('%s', async (_how, headers) => {
    const answer = await getTools(headers);

    expect(answer.status).toBe(200);
  });
});

describe('a request without a credential is 401, and the challenge has no error code', () => {
  test.each([
    ['with no header', {}],
    ['with an empty Authorization', { Authorization: '' }],
    ['with Basic alone', { Authorization: 'Basic dTpw' }],
    ['with the token in a cookie', { Cookie: `token=${ADA}; authorization=Bearer ${ADA}` }],
    ['with the token in some other header', { 'X-Token': ADA, 'Proxy-Authorization': `Bearer ${ADA}` }],
  ])('%s', async (_how, headers: Record<string, string>) => {
    const answer = await getTools(headers);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="mcp"');
    expect(answer.body).toEqual({
      error: 'unauthorized',
      error_description: expect.stringContaining('Authorization: Bearer'),
    });
  });

  test.each([
    `/tools?access_token=${ADA}`,
    `/tools?token=${ADA}&api_key=${ADA}`,
    `/tools?authorization=Bearer%20${ADA}`,
    `/tools?x-api-key=${ADA}`,
  ])('with the token in the query only', async (path) => {
    const answer = await getTools({}, path);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="mcp"');
  });
});

describe('a bad credential is refused as invalid_token with the reason', () => {
  test.each([
    ['unknown', { Authorization: 'Bearer tok_wrong' }, /unknown/],
    ['expired', { Authorization: 'Bearer tok_expired_0123456789' }, /expired/],
    ['disabled', { Authorization: 'Bearer tok_disabled_0123456789' }, /disabled/],
    ['not yet valid', { Authorization: `Bearer ${FUTURE}` }, /not valid yet/],
    ['two that differ', { Authorization: `Bearer ${ADA}`, 'x-api-key': BOB }, /two different/],
    ['two that differ in other headers', { 'x-auth-token': ADA, 'x-api-key': BOB }, /two different/],
    ['a bare token', { Authorization: ADA }, /Bearer <token>/],
    ['Bearer without a token', { Authorization: 'Bearer' }, /empty/],
    ['an empty x-api-key', { 'x-api-key': '' }, /empty/],
    ['Bearer twice', { Authorization: `Bearer Bearer ${ADA}` }, /twice/],
    ['a variable that was not replaced', { Authorization: 'Bearer ${MCP_TOKEN}' }, /variable/],
    ['quotes around it', { Authorization: `Bearer "${ADA}"` }, /quotes/],
    ['brackets around it', { 'x-api-key': `<${ADA}>` }, /brackets/],
    ['spaces in it', { Authorization: `Bearer ${ADA} ${ADA}` }, /space/],
    ['letters no token has', { 'x-api-key': 'tök' }, /character/],
  ])('%s', async (_what, headers: Record<string, string>, words) => {
    const answer = await getTools(headers);

    const { error, error_description: description } = answer.body as Record<string, string>;
    expect([answer.status, error]).toEqual([401, 'invalid_token']);
    expect(description).toMatch(words);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer realm="mcp", error="invalid_token", error_description="${description}"`,
    );
    // A header parameter's value ends at the first quote.
    expect(description).not.toContain('"');
    expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(/tok_ada|tok_bob|tok_wrong/);
  });

  test.each([
    ['the digest of a token', createHash('sha256').update(ADA).digest('hex')],
    ['the digest as the token file writes it', `sha256:${createHash('sha256').update(ADA).digest('hex')}`],
    ['a prefix', ADA.slice(0, -1)],
    ['a token with a suffix', `${ADA}x`],
    ['other case', ADA.toUpperCase()],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['a percent-encoded token', encodeURIComponent(ADA).replace('_', '%5f')],
    ['base64 of a token', Buffer.from(ADA).toString('base64')],
    ['10 KB', 'x'.repeat(10_000)],
  ])('%s', async (_what, token) => {
    const answer = await getTools({ Authorization: `Bearer ${token}` });

    expect([answer.status, answer.body]).toEqual([401, expect.objectContaining({ error: 'invalid_token' })]);
  });

  test('control characters in a token are refused by the HTTP parser or by the check', async () => {
    const heads = ['\u0001', '\u007f', '\u000b'].map((character) => [
      'GET /tools HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${ADA}${character}`,
    ]);

    const answers = await Promise.all(heads.map(async (head) => sendRaw(server.url, head)));

    for (const { status } of answers) expect([400, 401]).toContain(status);
  });
});

describe.each([
  ['GET', '/tools'],
  ['POST', '/mcp'],
  ['GET', '/mcp'],
  ['DELETE', '/mcp'],
  ['PUT', '/mcp'],
  ['GET', '/sse'],
  ['POST', '/sse'],
  ['HEAD', '/sse'],
  ['POST', '/messages'],
  ['GET', '/messages'],
  ['OPTIONS', '/mcp'],
])('%s %s', (method, path) => {
  test('is 401 without a token, with the body of RFC 6750 and not of JSON-RPC', async () => {
    const answer = await send(`${server.url}${path}`, { method });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="mcp"');
    expect(answer.text).toMatch(method === 'HEAD' ? /^$/ : /^\{"error":"unauthorized",/);
  });
});

test.each(['/', '/health', '/ready'])('%s needs no token', async (path) => {
  const answer = await send(`${server.url}${path}`, { headers: { Authorization: 'Bearer tok_wrong' } });

  expect(answer.status).toBe(200);
});

/** A handler that shows that it was reached. */
const answerRoute: Handler = (ctx) => {
  ctx.body = { reached: true };
};

test('a route requires a token unless it is declared public', async () => {
  const log = pino({ level: 'silent' });
  const tokens = createTokenSet([
    { digest: digestToken(ADA), user: createUserContext({ userId: 'ada' }), disabled: false },
  ]);
  const app = createApp({
    routes: [
      { path: '/added', methods: { GET: answerRoute } },
      { path: '/shown', methods: { GET: answerRoute }, access: 'public' },
    ],
    authenticator: createAuthenticator(tokens),
    countFailure: createFailureCounter(10),
    isOpenToAll: false,
    logAddresses: true,
    origin: { hosts: [], origins: [], trustProxy: false },
    log,
  });
  const listening = createServer(app).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;

  const answers = await Promise.all([
    send(`${url}/added`),
    send(`${url}/added`, { token: ADA }),
    send(`${url}/shown`),
  ]);
  listening.close();
  listening.closeAllConnections();

  expect(answers.map(({ status }) => status)).toEqual([401, 200, 200]);
});

describe('with authentication off', () => {
  test('every caller is the user "anonymous"', async () => {
    const session = await openMcpSession(open.url, 'anything at all');

    const answer = await session.post({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'whoami' },
    });

    expect(answer.body).toMatchObject({ result: { structuredContent: { userId: 'anonymous' } } });
  });

  test('a request without a credential is accepted', async () => {
    const answer = await send(`${open.url}/mcp`, { body: initialize() });

    expect(answer.status).toBe(200);
  });
});
