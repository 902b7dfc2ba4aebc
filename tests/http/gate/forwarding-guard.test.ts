/** A server without authentication that is meant for its own machine refuses requests that a proxy has forwarded. */
import { afterEach, expect, test } from '@jest/globals';
import { initialize, send } from '../../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
afterEach(async () => server.close());

const HEADERS = [
  ['X-Forwarded-For', '203.0.113.7'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'my-app.example'],
  ['X-Forwarded-Client-Cert', 'x'],
  ['Forwarded', 'for=203.0.113.7'],
  ['X-Real-IP', '203.0.113.7'],
  ['CF-Connecting-IP', '203.0.113.7'],
  ['CF-Ray', 'x'],
  ['True-Client-IP', '203.0.113.7'],
  ['Fly-Client-IP', '203.0.113.7'],
  ['X-Envoy-External-Address', '203.0.113.7'],
  ['X-Cluster-Client-IP', '203.0.113.7'],
  ['Via', '1.1 caddy'],
] as const;

/** A GET request with these headers. */
const ask = async (path: string, headers: Record<string, string>) =>
  send(`${server.url}${path}`, { headers });

test('without authentication, a request with a forwarding header is 403 with the variables to set', async () => {
  server = await startTestServer({ env: { AUTH_ENABLED: 'false' } });

  for (const [name, value] of HEADERS) {
    const answer = await ask('/tools', { [name]: value });

    expect([name, answer.status, answer.body]).toEqual([
      name,
      403,
      {
        error: 'forwarded_without_auth',
        error_description: expect.stringMatching(/AUTH_ENABLED=true.*ALLOW_PUBLIC_WITHOUT_AUTH=true/),
      },
    ]);
  }
  const handshake = await send(`${server.url}/mcp`, { headers: { Via: '1.1 x' }, body: initialize() });
  const probes = [await ask('/health', { Via: '1.1 x' }), await ask('/ready', { Via: '1.1 x' })];
  const direct = await ask('/tools', { 'X-Client-Name': 'x', 'User-Agent': 'x' });

  expect(handshake.status).toBe(403);
  expect([...probes, direct].map(({ status }) => status)).toEqual([200, 200, 200]);
});

test.each([
  ['with authentication', { TRUST_PROXY: 'true' }],
  [
    'without authentication but with ALLOW_PUBLIC_WITHOUT_AUTH',
    { AUTH_ENABLED: 'false', ALLOW_PUBLIC_WITHOUT_AUTH: 'true' },
  ],
])(
  '%s, requests with forwarding headers are accepted',
  async (_circumstance, env: Record<string, string>) => {
    server = await startTestServer({ env });

    const answers = await Promise.all(
      HEADERS.map(async ([name, value]) => ask('/tools', { Authorization: `Bearer ${ADA}`, [name]: value })),
    );

    expect(answers.map(({ status }) => status)).toEqual(HEADERS.map(() => 200));
  },
);
