/** Failed authentications are limited per address; valid tokens always pass. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Answer, send } from '../../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const LIMIT = 3;
let server: TestServer;
afterEach(async () => {
  await server.close();
});

/** Starts a server with a low limit. */
async function start(env: Record<string, string> = {}): Promise<void> {
  server = await startTestServer({ env: { AUTH_FAILURES_PER_MINUTE: String(LIMIT), ...env } });
}

let failures = 0;

/** A request with a new wrong token each time, optionally with X-Forwarded-For. */
function fail(forwardedFor?: string, path = '/tools'): Promise<Answer> {
  const headers = forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor };
  failures += 1;
  return send(`${server.url}${path}`, { token: `tok_wrong_${failures}`, headers });
}

/** Uses up the failures that an address may have; resolves to the statuses. */
async function useUp(forwardedFor?: string): Promise<number[]> {
  const statuses = [];
  for (let count = 0; count < LIMIT; count += 1) statuses.push((await fail(forwardedFor)).status);
  return statuses;
}

describe('above the limit of failures', () => {
  test('wrong tokens are answered 429 with Retry-After', async () => {
    await start();

    const before = await useUp();
    const answer = await fail();

    expect(before).toEqual([401, 401, 401]);
    expect([answer.status, answer.body]).toEqual([
      429,
      expect.objectContaining({ error: 'too_many_failures' }),
    ]);
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  test('a valid token from the same address passes', async () => {
    await start();
    await useUp();
    await fail();

    const answer = await send(`${server.url}/tools`, { token: ADA });

    expect(answer.status).toBe(200);
  });

  test('requests without a credential are not counted, and still get their 401', async () => {
    await start();
    for (let count = 0; count < 2 * LIMIT; count += 1) await send(`${server.url}/mcp`);

    const missing = await send(`${server.url}/mcp`);
    const wrong = await useUp();

    expect([missing.status, ...wrong]).toEqual([401, 401, 401, 401]);
    expect((await fail()).status).toBe(429);
  });

  test('expired, disabled and malformed credentials count as failures, on every path that checks them', async () => {
    await start();
    await send(`${server.url}/tools`, { token: 'tok_expired_0123456789' });
    await send(`${server.url}/register`, { token: 'tok_disabled_0123456789', method: 'POST' });
    await send(`${server.url}/.well-known/x`, { headers: { 'x-api-key': '${TOKEN}' } });

    const answers = await Promise.all([fail(), fail(undefined, '/register')]);

    expect(answers.map(({ status }) => status)).toEqual([429, 429]);
  });

  test('a placeholder sent by many clients of one address is refused with the reason every time, and counts once', async () => {
    await start();

    const statuses = new Set<number>();
    const words = new Set<unknown>();
    for (let student = 0; student < 20; student += 1) {
      for (const path of ['/mcp', '/register']) {
        const answer = await send(`${server.url}${path}`, { token: 'YOUR_TOKEN', method: 'POST' });
        statuses.add(answer.status);
        words.add((answer.body as { error_description: string }).error_description.split(';')[0]);
      }
    }
    await useUp();

    expect([...statuses]).toEqual([401, 404]);
    expect([...words]).toEqual(['The client configuration still holds the placeholder of an example']);
    expect((await fail()).status).toBe(429);
    expect((await send(`${server.url}/tools`, { token: 'YOUR_TOKEN' })).status).toBe(401);
  });

  test('public routes are not limited', async () => {
    await start();
    await useUp();
    await fail();

    const answer = await send(`${server.url}/health`, { token: 'tok_wrong' });

    expect(answer.status).toBe(200);
  });
});

describe('X-Forwarded-For', () => {
  test('is ignored without TRUST_PROXY', async () => {
    await start();
    await useUp('203.0.113.1');

    const other = await fail('203.0.113.2');

    expect(other.status).toBe(429);
  });

  test('is used with TRUST_PROXY: each address has its own limit', async () => {
    await start({ TRUST_PROXY: 'true' });
    await useUp('203.0.113.1');

    const [same, other] = [await fail('203.0.113.1'), await fail('203.0.113.2')];

    expect([same.status, other.status]).toEqual([429, 401]);
  });

  test('with TRUST_PROXY, only its last entry is used: a client can write the others itself', async () => {
    await start({ TRUST_PROXY: 'true' });
    await useUp('203.0.113.1');

    const [forged, other] = [await fail('198.51.100.9, 203.0.113.1'), await fail('203.0.113.1, 203.0.113.2')];

    expect([forged.status, other.status]).toEqual([429, 401]);
  });

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:aaaa:bbbb:cccc:dddd'],
    ['2001:db8::1', '2001:db8::ffff:2'],
    ['2001:db8::a:b:c:d', '2001:db8::1:2:3:4'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['203.0.113.1:1234', '203.0.113.1:4321'],
    ['203.0.113.1:1234', '203.0.113.1'],
    ['[2001:db8::1]:1234', '2001:db8::1'],
    ['[2001:db8::1]', '[2001:db8::2]:1'],
    ['unknown', '_hidden'],
    ['999.1.1.1', '203.0.113.1:x'],
    ['-', 'garbage garbage'],
  ])('%s and %s count as one client', async (first, second) => {
    await start({ TRUST_PROXY: 'true' });
    await useUp(first);

    const answer = await fail(second);

    expect(answer.status).toBe(429);
  });

  test('two /64 networks count as two clients', async () => {
    await start({ TRUST_PROXY: 'true' });
    await useUp('2001:db8:1:2::1');

    const answer = await fail('2001:db8:1:3::1');

    expect(answer.status).toBe(401);
  });
});
