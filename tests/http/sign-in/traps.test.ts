/** Attacks on signing in, and careless changes: what an attacker would do, and what must come of it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REFUSED } from '../../../src/http/refusal-event.ts';
import { eventually, openRaw, send, sendRaw } from '../../support/raw-http.ts';
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
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
let url = '';
beforeAll(async () => {
  server = await startTestServer({ env: { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '100000' } });
  ({ url } = server);
});
afterAll(async () => server.close());

/** An authorization request of a newly registered client. */
const askAnew = async (more: Record<string, string> = {}) =>
  askFor(url, String((await register(url))['client_id']), more);

/** A text of the same length with one character changed. */
function alter(text: string, index = text.length - 10): string {
  return text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
}

describe('a redirect URI of somebody else', () => {
  test.each(['https://evil.example/cb', 'http://localhost:1/other', 'app://x', `${LOOPBACK}#x`])(
    '%s gets a 400 page and no redirect',
    async (redirect_uri) => {
      const page = await openPage(url, await askAnew({ redirect_uri }));

      expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    },
  );

  test('cannot be set by a field of the form, a query or an altered ticket', async () => {
    const ticket = ticketOf(await openPage(url, await askAnew()));
    const form = { ticket, token: ADA, action: 'allow' };

    const answers = [
      await sendForm(`${url}/authorize`, { ...form, redirect_uri: 'https://evil.example/cb' }),
      await sendForm(`${url}/authorize?redirect_uri=https://evil.example/cb`, form),
      await sendForm(`${url}/authorize`, { ...form, ticket: alter(ticket) }),
      await sendForm(`${url}/authorize`, { ...form, ticket: `${ticket}A` }),
      await sendForm(`${url}/authorize`, { ...form, action: 'other' }),
    ];

    for (const { status, headers } of answers) expect([status, headers.get('location')]).toEqual([400, null]);
  });

  test('cannot be sent at the exchange, nor another client, resource or verifier; the right request then succeeds', async () => {
    const asking = await askAnew();
    const other = String((await register(url))['client_id']);
    const code = (await allow(url, asking, ADA)).searchParams.get('code') ?? '';

    const refused = [
      await exchange(url, asking, code, { redirect_uri: 'http://127.0.0.1:9/callback' }),
      await exchange(url, asking, code, { redirect_uri: '' }),
      await exchange(url, asking, code, { client_id: other }),
      await exchange(url, asking, code, { code_verifier: 'a'.repeat(43) }),
      await exchange(url, asking, code, { code_verifier: asking.verifier.slice(1) }),
      await exchange(url, asking, code, { resource: `${url}/sse` }),
      await exchange(url, asking, code, { resource: 'https://other.example' }),
      await exchange(url, asking, alter(code)),
      await exchange(url, asking, `${code}A`),
      await exchange(url, asking, code, { grant_type: 'password' }),
      await exchange(url, asking, code, { code_verifier: '' }),
    ];
    const right = await exchange(url, asking, code);

    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 400));
    expect(refused.map(({ body }) => (body as { error: string }).error)).toEqual([
      ...Array<string>(5).fill('invalid_grant'),
      'invalid_target',
      'invalid_target',
      'invalid_grant',
      'invalid_grant',
      'unsupported_grant_type',
      'invalid_request',
    ]);
    expect(right.status).toBe(200);
  });
});

describe('an unknown client', () => {
  test.each([
    ['made up', () => 'mcp_ci_AAAA'],
    ['of another server', async () => foreignClientId()],
    ['altered', async () => alter(String((await register(url))['client_id']))],
    ['a token', () => ADA],
    ['the URL of a document on a host that is not allowed', () => 'https://evil.example/client.json'],
  ])('whose id is %s gets a page that says so', async (_how, makeId: () => string | Promise<string>) => {
    const { status, headers, text } = await openPage(url, askFor(url, await makeId()));

    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(text).toMatch(/does not know the client|not allowed here/);
  });
});

/** The id of a client of another server. */
async function foreignClientId(): Promise<string> {
  const other = await startTestServer({ env: { SERVER_SECRET: newSecret() } });
  const { client_id: id } = await register(other.url);
  await other.close();
  return String(id);
}

describe('consent', () => {
  test('is requested at every sign-in, and nothing sets a cookie', async () => {
    const asking = await askAnew();
    const callback = await allow(url, asking, ADA);
    const answers = [
      await openPage(url, asking),
      await exchange(url, asking, callback.searchParams.get('code') ?? ''),
      await send(`${url}/.well-known/oauth-authorization-server`),
    ];

    expect(answers[0]?.text).toContain('type="password"');
    for (const { headers } of answers) expect(headers.get('set-cookie')).toBeNull();
  });

  test.each([
    [{ Origin: 'https://evil.example' }, 403],
    [{ Origin: 'http://localhost:1' }, 403],
    [{ Origin: 'http://127.0.0.1:1' }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }, 303],
    [{ 'Sec-Fetch-Site': 'same-origin' }, 303],
    [{ 'Sec-Fetch-Site': 'none' }, 303],
    [{}, 303],
  ])('sent with %j gets %i', async (headers: Record<string, string>, status) => {
    const ticket = ticketOf(await openPage(url, await askAnew()));

    const answer = await sendForm(`${url}/authorize`, { ticket, token: ADA, action: 'allow' }, headers);

    expect(answer.status).toBe(status);
  });

  test('sent by the http page of an https address is refused: an attacker on the network can write that page', async () => {
    const own = await startTestServer({
      env: { PUBLIC_URL: 'https://my-app.example', SERVER_SECRET: newSecret() },
    });

    const head = ['POST /authorize HTTP/1.1', 'Host: my-app.example', 'Content-Length: 0'];
    const plain = await sendRaw(own.url, [...head, 'Origin: http://my-app.example']);
    const secure = await sendRaw(own.url, [...head, 'Origin: https://my-app.example']);
    await own.close();

    expect([plain.status, secure.status]).toEqual([403, 400]);
  });

  test('sent through a proxy that replaces Host is refused with that reason', async () => {
    const env = { PUBLIC_URL: 'https://my-app.example', SERVER_SECRET: newSecret() };
    const own = await startTestServer({ env });

    const answer = await sendForm(`${own.url}/authorize`, {}, { Origin: env.PUBLIC_URL });
    await own.close();

    expect(answer.status).toBe(403);
    expect(answer.text).toContain('a proxy replaces the Host header');
  });

  test('is asked for on a page that nobody can frame, that runs no script, and whose policy allows the form and its redirect', async () => {
    const { headers } = await openPage(url, await askAnew());

    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/form-action|script-src/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-opener-policy')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('names the host, the unverified client, its redirect and what it may call', async () => {
    const client = await register(url, { client_name: 'Claude' });

    const { text } = await openPage(url, askFor(url, String(client['client_id']), { scope: 'greet' }));

    expect(text).toContain(`<strong>${new URL(url).host}</strong>`);
    expect(text).toContain('name not verified');
    expect(text).toContain('127.0.0.1:3118');
    expect(text).toContain('a program on this computer');
    expect(text).toContain('<li>Greeting</li>');
    expect(text).not.toContain('<li>Echo</li>');
    expect(text).not.toContain('<script');
  });
});

describe('an authorization code', () => {
  test('that is used twice revokes the tokens that it gave', async () => {
    const asking = await askAnew();
    const code = (await allow(url, asking, ADA)).searchParams.get('code') ?? '';
    const first = (await exchange(url, asking, code)).body as Tokens;

    const second = await exchange(url, asking, code);

    expect(second).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await send(`${url}/tools`, { token: first.access_token })).status).toBe(401);
    expect((await refresh(url, asking.clientId, first.refresh_token)).status).toBe(400);
  });
});

describe('a token of a sign-in', () => {
  test('cannot be pasted to sign in; a refresh token, a ticket or an altered token gives no access', async () => {
    const { access_token: access, refresh_token: again } = await signIn(url, ADA);
    const asking = await askAnew();
    const ticket = ticketOf(await openPage(url, asking));

    for (const token of [access, again]) {
      const answer = await sendForm(`${url}/authorize`, { ticket, token, action: 'allow' });
      expect(answer.status).toBe(401);
      expect(answer.text).toContain('This token was issued by signing in.');
    }
    for (const token of [again, ticket, asking.clientId, alter(access), `${access}A`])
      expect((await send(`${url}/tools`, { token })).status).toBe(401);
  });

  test('is revoked only by its own client', async () => {
    const mine = await signIn(url, ADA);
    const other = String((await register(url))['client_id']);

    const refused = await sendForm(`${url}/revoke`, { token: mine.refresh_token, client_id: other });
    const unknown = await sendForm(`${url}/revoke`, { token: 'nothing', client_id: other });

    expect([refused.status, unknown.status]).toEqual([400, 200]);
    expect((await send(`${url}/tools`, { token: mine.access_token })).status).toBe(200);
  });

  test('is refreshed only by its own client', async () => {
    const mine = await signIn(url, ADA);
    const other = String((await register(url))['client_id']);

    expect((await refresh(url, other, mine.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(url, mine.clientId, mine.refresh_token)).status).toBe(200);
  });
});

/** Pastes a token on a new page. */
const pasteAnew = async (token: string) => {
  const ticket = ticketOf(await openPage(url, await askAnew()));
  return sendForm(`${url}/authorize`, { ticket, token, action: 'allow' });
};

describe('a refusal', () => {
  const known = { userId: expect.any(String), tokenId: expect.stringMatching(/^[0-9a-f]{8}$/) };
  const ASKED = { status: 400, path: '/authorize', address: '127.0.0.1' };
  const PASTED = { ...ASKED, status: 401, error: 'invalid_token' };

  test.each<[string, () => Promise<unknown>, object]>([
    [
      'of a redirect URI of somebody else',
      async () => openPage(url, await askAnew({ redirect_uri: 'https://evil.example/cb' })),
      { ...ASKED, error: 'invalid_request' },
    ],
    [
      'of an unknown client',
      async () => openPage(url, askFor(url, 'mcp_ci_AAAA')),
      { ...ASKED, error: 'invalid_client' },
    ],
    [
      'of an invalid ticket',
      async () => sendForm(`${url}/authorize`, { ticket: 'x', token: ADA, action: 'allow' }),
      { ...ASKED, error: 'invalid_request' },
    ],
    ['of a wrong token', async () => pasteAnew('tok_wrong_0123456789'), { ...PASTED, reason: 'unknown' }],
    [
      'of a disabled token',
      async () => pasteAnew('tok_disabled_0123456789'),
      { ...PASTED, ...known, reason: 'disabled' },
    ],
    [
      'of an expired token',
      async () => pasteAnew('tok_expired_0123456789'),
      { ...PASTED, ...known, reason: 'expired' },
    ],
    ['of no token', async () => pasteAnew(' '), { ...PASTED, error: 'unauthorized', reason: 'missing' }],
    [
      'of a token of a sign-in',
      async () => pasteAnew((await signIn(url, ADA)).access_token),
      { ...PASTED, reason: 'unfit' },
    ],
    [
      'of a header at /register',
      async () => send(`${url}/register`, { token: 'tok_disabled_0123456789', body: {} }),
      { status: 401, path: '/register', error: 'invalid_request', reason: 'disabled', ...known },
    ],
  ])('%s is logged with its reason, and published for the metrics', async (_what, refuse, line) => {
    const told: object[] = [];
    const note = (event: unknown): void => void told.push(event as object);
    const before = server.lines.length;
    subscribe(REFUSED, note);

    await refuse();
    const linesOf = () => server.lines.slice(before).filter(({ status }) => Number(status) >= 400);
    await eventually(() => linesOf().length > 0);
    unsubscribe(REFUSED, note);

    expect(linesOf()).toMatchObject([line]);
    const { error: code, path: _path, ...same } = line as Record<string, unknown>;
    expect(told).toMatchObject([{ code, ...same }]);
  });
});

describe('guessing', () => {
  test('tokens on the page counts towards the limit of failures; a right token still passes', async () => {
    const limited = await startTestServer({
      env: { SERVER_SECRET: newSecret(), AUTH_FAILURES_PER_MINUTE: '3' },
    });
    const asking = askFor(limited.url, String((await register(limited.url))['client_id']));
    const ticket = ticketOf(await openPage(limited.url, asking));
    const paste = async (token: string) =>
      sendForm(`${limited.url}/authorize`, { ticket, token, action: 'allow' });

    const wrong = [await paste('tok_a'), await paste('tok_b'), await paste('tok_c'), await paste('tok_d')];
    const forged = await sendForm(`${limited.url}/token`, {
      client_id: 'mcp_ci_x',
      grant_type: 'refresh_token',
    });
    const right = await paste(ADA);
    await limited.close();

    expect(wrong.map(({ status }) => status)).toEqual([401, 401, 401, 429]);
    expect(wrong[3]?.text).toContain('Too many refused credentials');
    expect(wrong[3]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(wrong[3]?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect([forged.status, right.status]).toEqual([429, 303]);
  });
});

describe('a malformed request', () => {
  test('whose client disconnects before its body is complete is refused as incomplete_body', async () => {
    const begun: unknown[] = [];
    const refusals: unknown[] = [];
    const noteBegin = (request: unknown): void => void begun.push(request);
    const noteRefusal = (refusal: unknown): void => void refusals.push(refusal);
    subscribe('http.server.request.start', noteBegin);
    subscribe(REFUSED, noteRefusal);
    const connection = await openRaw(url);
    const head =
      'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n';
    connection.write(`${head}Content-Length: 100\r\n\r\ngrant_type=`);
    await eventually(() => begun.length > 0);

    connection.socket.destroy();
    await eventually(() => refusals.length > 0);
    unsubscribe(REFUSED, noteRefusal);
    unsubscribe('http.server.request.start', noteBegin);

    expect(refusals).toMatchObject([{ code: 'incomplete_body' }]);
  });

  test.each([
    ['/token', 'application/json', '{}', 400],
    ['/token', 'text/plain; charset=', 'a', 400],
    ['/token', ';;;', 'a', 400],
    ['/token', 'application/x-www-form-urlencoded', 'grant_type=a&grant_type=b', 400],
    ['/token', 'application/x-www-form-urlencoded', '', 401],
    ['/revoke', 'application/x-www-form-urlencoded', 'client_id=', 401],
    ['/register', 'text/plain', '{}', 400],
    ['/authorize', 'application/json', '{}', 400],
    ['/authorize', 'application/x-www-form-urlencoded', '', 400],
    ['/token', 'application/x-www-form-urlencoded', `client_id=${'x'.repeat(20_000)}`, 413],
  ])('to %s as %s gets an error in JSON', async (path, type, body, status) => {
    const answer = await send(url + path, { method: 'POST', headers: { 'Content-Type': type }, body });

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: expect.any(String), error_description: expect.any(String) });
  });

  test.each(['?client_id=a&client_id=b', '', '?client_id=', '?%zz', `?client_id=${'x'.repeat(8_000)}`])(
    'to /authorize%s gets a page with 400',
    async (query) => {
      const answer = await send(`${url}/authorize${query}`, { headers: { Accept: 'text/html' } });

      expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    },
  );
});

test("a resource that only begins like this server's address is invalid_target", async () => {
  for (const resource of [`${url}/mcp-other`, `${url}.evil.example/mcp`, `${url}@evil.example`, 'mcp'])
    expect((await openPage(url, await askAnew({ resource }))).headers.get('location')).toContain(
      'invalid_target',
    );
});
