/** The tokens of a sign-in are checked against the entry in the token file at every request: what the entry says applies to them too. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { digestToken, tokenIdOf } from '../../../src/auth/digest.ts';
import type { Feature } from '../../../src/mcp/feature.ts';
import { definePrompt } from '../../../src/mcp/prompt.ts';
import { defineResource } from '../../../src/mcp/resource.ts';
import {
  callTool,
  eventually,
  initialize,
  openMcpSession,
  rpc,
  send,
  sendRaw,
} from '../../support/raw-http.ts';
import {
  askFor,
  newSecret,
  openPage,
  refresh,
  register,
  signIn,
  type SignedIn,
} from '../../support/sign-in.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TokenFileContent,
} from '../../support/start-server.ts';

const ada = { userId: 'ada', name: 'Ada' };
const bob = { userId: 'bob', name: 'Bob' };
const PAST = '2020-01-01T00:00:00Z';

const review = definePrompt({
  name: 'review',
  title: 'Review',
  description: 'Goes through what you have learned.',
  scope: 'learn',
  run: () => 'What have I learned?',
});

const lesson = defineResource({
  name: 'intro',
  title: 'First lesson',
  description: 'How to begin.',
  uri: 'lesson://intro',
  scope: 'read',
  read: () => 'Begin.',
});

/** How soon the streams of a revoked token must be closed; the file is checked twice a second, streams once. Milliseconds. */
const SOON_MS = 2_500;

let servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.map(async (server) => server.close()));
  servers = [];
});

/** Starts a server on which users can sign in. */
async function start(
  tokens: TokenFileContent,
  env: Record<string, string> = {},
  features: readonly Feature[] = [],
): Promise<TestServer> {
  const server = await startTestServer({ tokens, features, env: { SERVER_SECRET: newSecret(), ...env } });
  servers.push(server);
  return server;
}

/** The status of a request with this token. */
const statusOf = async ({ url }: TestServer, token: string): Promise<number> =>
  (await send(`${url}/tools`, { token })).status;

/** The status of a refresh. */
const refreshStatus = async ({ url }: TestServer, { clientId, refresh_token: token }: SignedIn) =>
  (await refresh(url, clientId, token)).status;

describe.each([
  ['removed', (): TokenFileContent => ({ [BOB]: bob }), /been revoked/, 'revoked'],
  [
    'disabled',
    (): TokenFileContent => ({ [ADA]: { ...ada, disabled: true }, [BOB]: bob }),
    /disabled/,
    'disabled',
  ],
  [
    'expired',
    (): TokenFileContent => ({ [ADA]: { ...ada, expiresAt: PAST }, [BOB]: bob }),
    /expired/,
    'expired',
  ],
  [
    'signed out',
    (): TokenFileContent => ({
      [ADA]: { ...ada, signInsSince: new Date(Date.now() + 1_000).toISOString() },
      [BOB]: bob,
    }),
    /sign-in has ended/,
    'signed_out',
  ],
])('an entry that is %s', (_how, after, words, reason) => {
  test("ends the tokens and streams of its sign-ins at the next request, and nobody else's", async () => {
    const server = await start({ [ADA]: ada, [BOB]: bob });
    const [mine, bobs] = [await signIn(server.url, ADA), await signIn(server.url, BOB)];
    const session = await openMcpSession(server.url, mine.access_token);
    const streams = [
      await openSse(server.url, mine.access_token),
      await openStream(`${server.url}/mcp`, { headers: session.headers }),
    ];
    const stays = await openSse(server.url, bobs.access_token);

    await server.writeTokens(after());
    const ends = await Promise.all(streams.map(async (stream) => stream.over(SOON_MS)));
    const refused = await send(`${server.url}/mcp`, { token: mine.access_token, body: initialize() });

    expect(ends).toEqual(['ended', 'ended']);
    expect(refused).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', error_description: expect.stringMatching(words) },
    });
    await eventually(() => server.lines.some(({ path, status }) => path === '/mcp' && status === 401));
    const refusals = server.lines.filter(({ path, status }) => path === '/mcp' && status === 401);
    const tokenId = tokenIdOf(digestToken(ADA));
    expect(refusals).toMatchObject([{ reason, userId: 'ada', tokenId }]);
    expect(await refreshStatus(server, mine)).toBe(400);
    expect([await statusOf(server, bobs.access_token), await refreshStatus(server, bobs)]).toEqual([
      200, 200,
    ]);
    stays.close();
  });
});

test("after a sign-out the entry's own token and later sign-ins are valid", async () => {
  const server = await start({ [ADA]: ada });
  const before = await signIn(server.url, ADA);
  const signedInMs = Date.now();
  // Times are compared in milliseconds, and the sign-in may have happened in this very one.
  await eventually(() => Date.now() > signedInMs);
  await server.writeTokens({ [ADA]: { ...ada, signInsSince: new Date().toISOString() } });
  await eventually(async () => (await statusOf(server, before.access_token)) === 401);

  const after = await signIn(server.url, ADA);

  expect(await statusOf(server, ADA)).toBe(200);
  expect(await statusOf(server, after.access_token)).toBe(200);
});

test('changed scopes of the entry apply at the next call; a scope that was not requested needs a new sign-in', async () => {
  const server = await start({ [ADA]: { ...ada, scopes: ['greet', 'echo'] } });
  const { access_token: token } = await signIn(server.url, ADA, { parameters: { scope: 'greet' } });
  const namesOf = async (): Promise<string[]> => {
    const { body } = await send(`${server.url}/tools`, { token });
    return (body as { tools: { name: string }[] }).tools.map(({ name }) => name);
  };
  const first = await namesOf();

  await server.writeTokens({ [ADA]: { ...ada, scopes: ['echo'] } });
  await eventually(async () => (await namesOf()).length === 2);
  const meanwhile = await namesOf();
  await server.writeTokens({ [ADA]: { ...ada, scopes: ['echo', 'greet'] } });
  await eventually(async () => (await namesOf()).length === 3);
  const session = await openMcpSession(server.url, token);
  const echo = await session.post(callTool(1, 'echo_message', { message: 'x' }));

  expect(first).toEqual(['get_greeting', 'echo_message', 'whoami']);
  expect(meanwhile).toEqual(['echo_message', 'whoami']);
  expect(echo.status).toBe(403);
  expect(echo.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="greet echo"/);
});

test('scopes that only prompts and resources need are in the metadata, named on the page, and can be granted', async () => {
  const features = [{ name: 'learning', prompts: [review], resources: [lesson] }];
  const server = await start({ [ADA]: { ...ada, scopes: ['greet', 'learn', 'read'] } }, {}, features);
  const { body: told } = await send(`${server.url}/.well-known/oauth-protected-resource/mcp`);
  const clientId = String((await register(server.url))['client_id']);
  const page = await openPage(server.url, askFor(server.url, clientId, { scope: 'learn read' }));
  const statusWith = async (scope: string): Promise<readonly (readonly [number, string | null])[]> => {
    const { access_token: token } = await signIn(server.url, ADA, { parameters: { scope } });
    const session = await openMcpSession(server.url, token);
    const answers = [
      await session.post(rpc(1, 'prompts/get', { name: 'review' })),
      await session.post(rpc(2, 'resources/read', { uri: 'lesson://intro' })),
    ];
    return answers.map(({ status, headers }) => [
      status,
      /scope="[^"]*"/.exec(headers.get('www-authenticate') ?? '')?.[0] ?? null,
    ]);
  };

  expect(told).toMatchObject({ scopes_supported: ['greet', 'echo', 'learn', 'read'] });
  expect(page.text).toMatch(/<li>Review<\/li><li>First lesson<\/li>/);
  expect(await statusWith('greet')).toEqual([
    [403, 'scope="greet learn"'],
    [403, 'scope="greet read"'],
  ]);
  expect(await statusWith('greet learn read')).toEqual([
    [200, null],
    [200, null],
  ]);
});

test('a call without its scope is a tool error where no sign-in could grant the scope', async () => {
  const server = await start({ [ADA]: { ...ada, scopes: ['greet'] } });
  const narrow = await signIn(server.url, ADA, { parameters: { scope: 'greet' } });
  const off = await start({ [ADA]: ada }, { OAUTH_STEP_UP: 'false' });
  const plain = await signIn(off.url, ADA, { parameters: { scope: 'greet' } });

  const calls = await Promise.all(
    [[server.url, narrow] as const, [off.url, plain] as const].map(async ([url, { access_token: token }]) => {
      const session = await openMcpSession(url, token);
      return session.post(callTool(1, 'echo_message', { message: 'x' }));
    }),
  );

  expect(calls.map(({ status }) => status)).toEqual([200, 200]);
  expect(calls.every(({ text }) => text.includes('insufficient_scope'))).toBe(true);
});

test('an access token does not outlive its entry', async () => {
  const server = await start({
    [ADA]: { ...ada, expiresAt: new Date(Date.now() + 100_000).toISOString() },
  });

  const { expires_in: seconds } = await signIn(server.url, ADA);

  expect(seconds).toBeGreaterThan(80);
  expect(seconds).toBeLessThanOrEqual(100);
});

test('a sign-in is valid after a restart and with a rotated secret, but not with another secret', async () => {
  const [secret, next] = [newSecret(), newSecret()];
  const publicUrl = { PUBLIC_URL: 'https://my-app.example', ALLOWED_HOSTS: 'my-app.example' };
  const one = await start({ [ADA]: ada }, { SERVER_SECRET: secret });
  const mine = await signIn(one.url, ADA);
  const rotated = await start({ [ADA]: ada }, { SERVER_SECRET: `${next},${secret}`, ...publicUrl });
  const foreign = await start({ [ADA]: ada }, { SERVER_SECRET: next });

  // Each request names the first server's address: a token is valid only at the address where it was issued.
  const at = { Authorization: `Bearer ${mine.access_token}`, Host: new URL(one.url).host };
  const ask = async ({ url }: TestServer) =>
    (await sendRaw(url, ['GET /tools HTTP/1.1', `Host: ${at.Host}`, `Authorization: ${at.Authorization}`]))
      .status;

  expect([await ask(one), await ask(rotated), await ask(foreign)]).toEqual([200, 200, 401]);
});

test('a token whose entry was removed before the start is reported as revoked', async () => {
  const SERVER_SECRET = newSecret();
  const one = await start({ [ADA]: ada }, { SERVER_SECRET });
  const { access_token: token } = await signIn(one.url, ADA);
  const next = await start({ [BOB]: bob }, { SERVER_SECRET });

  const refused = await sendRaw(next.url, [
    'GET /tools HTTP/1.1',
    `Host: ${new URL(one.url).host}`,
    `Authorization: Bearer ${token}`,
  ]);

  expect(refused).toMatchObject({
    status: 401,
    body: { error_description: expect.stringContaining('has been revoked') },
  });
});

test('a token is refused at another address of the server than the one where it was issued', async () => {
  const server = await start({ [ADA]: ada });
  const { access_token: token } = await signIn(server.url, ADA);

  const elsewhere = await send(`${server.url.replace('127.0.0.1', 'localhost')}/tools`, { token });

  expect(elsewhere).toMatchObject({
    status: 401,
    body: { error_description: expect.stringContaining('another address') },
  });
  await eventually(() => server.lines.some(({ reason }) => reason === 'other_address'));
  const refusal = server.lines.find(({ reason }) => reason === 'other_address');
  expect(refusal).toMatchObject({ userId: 'ada', tokenId: tokenIdOf(digestToken(ADA)) });
});

test("the log names the entry's token id, and no token, code or secret of a sign-in", async () => {
  const server = await start({ [ADA]: ada });
  const mine = await signIn(server.url, ADA);
  await send(`${server.url}/tools`, { token: mine.access_token });
  await send(`${server.url}/tools`, { token: ADA });
  await eventually(() => server.lines.filter(({ path }) => path === '/tools').length === 2);

  const ids = server.lines.filter(({ path }) => path === '/tools').map(({ tokenId }) => tokenId);
  const text = JSON.stringify(server.lines);

  expect(ids[0]).toMatch(/^[0-9a-f]{8}$/);
  expect(ids[1]).toBe(ids[0]);
  expect(text).not.toMatch(/mcp_(at|rt|ac|ci|rq|cs)_/);
  expect(text).not.toContain(ADA);
  expect(text).not.toMatch(/code_challenge|state=/);
});
