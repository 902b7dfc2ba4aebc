/**
 * Signing in while tokens cannot be verified: clients are told when to retry, no sign-in is lost, nothing is used up, and nothing counts as a guess.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Answer, eventually, initialize, send } from '../../support/raw-http.ts';
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
} from '../../support/sign-in.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';
import { createTokensOutOfReach, type TokensOutOfReach } from '../../support/tokens-out-of-reach.ts';

/** The second failure in a minute is 429, so a test sees whether anything was counted. */
const ONE_GUESS = { AUTH_FAILURES_PER_MINUTE: '1' };

let tokens: TokensOutOfReach;
let server: TestServer;
let url = '';
beforeEach(async () => {
  tokens = createTokensOutOfReach();
  server = await startTestServer({ verifier: tokens, env: { SERVER_SECRET: newSecret(), ...ONE_GUESS } });
  ({ url } = server);
});
afterEach(async () => server.close());

/** The parts of an answer that tell a client to retry. */
const comingBack = ({ status, headers, body }: Answer) => ({
  status,
  retryAfter: headers.get('retry-after'),
  challenge: headers.get('www-authenticate'),
  body,
});

/** What each of these answers must say. */
const COME_BACK = {
  status: 503,
  retryAfter: '5',
  challenge: null,
  body: {
    error: 'temporarily_unavailable',
    error_description: expect.stringContaining('cannot check') as unknown,
  },
};

test('a token of a sign-in is 503 and never 401 while its entry cannot be read, and valid afterwards', async () => {
  const { access_token: token } = await signIn(url, ADA);

  tokens.isAway = true;
  const meanwhile = [
    await send(`${url}/tools`, { token }),
    await send(`${url}/mcp`, { token, body: initialize() }),
  ];
  tokens.isAway = false;
  const after = [
    await send(`${url}/tools`, { token }),
    await send(`${url}/mcp`, { token, body: initialize() }),
  ];

  expect(meanwhile.map(comingBack)).toEqual([COME_BACK, COME_BACK]);
  expect(after.map(({ status }) => status)).toEqual([200, 200]);
});

test('a code and a refresh token are 503 and stay valid', async () => {
  const { clientId, refresh_token: token } = await signIn(url, ADA);
  const asking = askFor(url, clientId);
  const code = (await allow(url, asking, ADA)).searchParams.get('code') ?? '';

  tokens.isAway = true;
  const meanwhile = [await refresh(url, clientId, token), await exchange(url, asking, code)];
  tokens.isAway = false;
  const after = [await refresh(url, clientId, token), await exchange(url, asking, code)];

  expect(meanwhile.map(comingBack)).toEqual([COME_BACK, COME_BACK]);
  expect(after.map(({ status }) => status)).toEqual([200, 200]);
});

test('the page says so to a user who pastes a token, and the form can be sent again', async () => {
  const asking = askFor(url, String((await register(url))['client_id']));
  const first = ticketOf(await openPage(url, asking));
  const paste = async (token: string, ticket: string) =>
    sendForm(`${url}/authorize`, { ticket, token, action: 'allow' });

  tokens.isAway = true;
  const meanwhile = [
    await paste('tok_some', first),
    await paste('tok_other', first),
    await paste(ADA, first),
  ];
  tokens.isAway = false;
  const wrong = await paste('tok_wrong', first);
  const right = await paste(ADA, ticketOf(meanwhile[2] ?? wrong));

  for (const page of meanwhile) {
    expect(comingBack(page)).toEqual({ ...COME_BACK, body: undefined });
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.text).toContain('cannot check');
  }
  expect([wrong.status, right.status]).toEqual([401, 303]);
});

test('a registration with a token is 503, and one without a token succeeds', async () => {
  const registerWith = async (token: string) =>
    send(`${url}/register`, { token, body: { redirect_uris: [LOOPBACK] } });

  tokens.isAway = true;
  const meanwhile = [await registerWith('tok_some'), await registerWith('tok_other')];
  const without = await register(url);
  tokens.isAway = false;
  const wrong = await registerWith('tok_wrong');

  expect(meanwhile.map(comingBack)).toEqual([COME_BACK, COME_BACK]);
  expect(without).toHaveProperty('client_id');
  expect([wrong.status, wrong.body]).toMatchObject([401, { error: 'invalid_request' }]);
});

test('while too many client documents are being read, further requests are 503 with Retry-After, as a page or JSON', async () => {
  const held: Socket[] = [];
  const silent = createServer((socket) => held.push(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
  await once(silent, 'listening');
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const busy = await startTestServer({ env: { SERVER_SECRET: newSecret(), OAUTH_CLIENT_HOSTS: host } });
  const open = async (name: string, accept = 'text/html') =>
    openPage(busy.url, askFor(busy.url, `https://${host}/${name}.json`), { Accept: accept });
  const reading = Array.from({ length: 8 }, async (_, index) => open(String(index)));
  await eventually(() => held.length === 8);

  const [page, json] = [await open('page'), await open('json', 'application/json')];
  for (const socket of held) socket.destroy();
  const read = await Promise.all(reading);
  silent.close();
  await busy.close();

  expect(comingBack(page)).toEqual({ ...COME_BACK, body: undefined });
  expect(page.text).toContain('Too many clients are signing in at once.');
  expect(comingBack(json)).toMatchObject({ ...COME_BACK, body: { error: 'temporarily_unavailable' } });
  expect(read.map(({ status }) => status)).toEqual(read.map(() => 400));
});
