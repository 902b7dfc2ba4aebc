/** Which Host and Origin headers are accepted, and what pages of allowed origins may do and read. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  callTool,
  initialize,
  openMcpSession,
  send,
  sendRaw,
  stateless,
} from '../../support/raw-http.ts';
import { openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    env: {
      PUBLIC_URL: 'https://my-app.example',
      ALLOWED_HOSTS: 'other.example, ports.example:8443, usual.example:443',
      ALLOWED_ORIGINS:
        'https://pages.example,http://lan.example:3000,chrome-extension://abcdef,moz-extension://0a-1b,app://obsidian.md,tauri://localhost,vscode-file://vscode-app',
      MAX_BODY_BYTES: '1024',
    },
  });
});
afterAll(async () => {
  await server.close();
});

/** `GET /` with these header lines. */
const ask = (...lines: string[]): Promise<Answer> => sendRaw(server.url, ['GET / HTTP/1.1', ...lines]);

describe('Host', () => {
  test.each([
    'localhost',
    'localhost:1',
    'LocalHost:8000',
    '127.0.0.1',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:8000',
    'my-app.example',
    'MY-APP.example',
    'my-app.example:443',
    'other.example',
    'other.example:80',
    'ports.example:8443',
    'usual.example',
    'usual.example:443',
    'usual.example:80',
  ])('%s is accepted', async (host) => {
    const answer = await ask(`Host: ${host}`);

    expect(answer.status).toBe(200);
  });

  test.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:8000',
    '127.0.0.1.evil.example',
    '127.0.0.2',
    '0.0.0.0',
    '169.254.169.254',
    'localhost:999999',
    'localhost:',
    'localhost:80:80',
    'localhost/',
    'localhost@evil.example',
    'evil.example@localhost',
    'localhost evil.example',
    'my-app.example:8000',
    'my-app.example:4430',
    'ports.example:443',
    'my-app.example.',
    'ports.example',
    'usual.example:443:80',
    'usual.example:8443',
    'notmy-app.example',
    '[::1',
    '[::ffff:127.0.0.1]',
    '',
  ])('"%s" is 403 on every path except /health and /ready', async (host) => {
    const answers = await Promise.all(
      ['/tools', '/', '/mcp', '/nowhere'].map(async (path) =>
        sendRaw(server.url, [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${ADA}`]),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(answers[0]?.body).toMatchObject({
      error: 'forbidden_host',
      error_description: expect.any(String),
    });
  });

  test('is not taken from forwarding headers', async () => {
    const answer = await ask(
      'Host: evil.example',
      'X-Forwarded-Host: localhost',
      'Forwarded: host=localhost',
      'X-Host: localhost',
    );

    expect(answer.status).toBe(403);
  });

  test('is not checked in public mode when no public host is configured; Origin still is', async () => {
    const open = await startTestServer({ env: { NODE_ENV: 'production' } });

    const host = await sendRaw(open.url, ['GET / HTTP/1.1', 'Host: any.example']);
    const origin = await sendRaw(open.url, [
      'GET / HTTP/1.1',
      'Host: a.example',
      'Origin: https://b.example',
    ]);
    await open.close();

    expect([host.status, origin.status]).toEqual([200, 403]);
  });
});

/** The hosts about which the log warns the operator after requests with these headers. */
async function toldOf(
  settings: Readonly<Record<string, string>>,
  ...heads: readonly string[][]
): Promise<unknown[]> {
  const own = await startTestServer({ env: settings });
  for (const [path, ...lines] of heads) await sendRaw(own.url, [`GET ${path} HTTP/1.1`, ...lines]);
  await own.close();
  return own.lines.flatMap(({ msg, host }) =>
    /configure it to pass on host/i.test(String(msg)) ? [host] : [],
  );
}

describe('a proxy that writes a name of this machine over Host', () => {
  const FORWARDED = 'X-Forwarded-For: 192.0.2.1';
  const env = { PUBLIC_URL: 'https://my-app.example' };

  test('is logged once, with what to do', async () => {
    const head = ['/tools', 'Host: 127.0.0.1:8000', FORWARDED];

    expect(await toldOf(env, head, head)).toEqual(['127.0.0.1:8000']);
  });

  test('is logged when a page of the public address calls', async () => {
    const head = ['/tools', 'Host: localhost', 'Origin: https://my-app.example'];

    expect(await toldOf(env, head)).toEqual(['localhost']);
  });

  test.each([
    ['a program on this machine', env, ['/tools', 'Host: localhost']],
    ['a probe', env, ['/health', 'Host: localhost', FORWARDED]],
    ['a proxy that passes Host on', env, ['/tools', 'Host: my-app.example', FORWARDED]],
    ['a server without a public address', {}, ['/tools', 'Host: localhost', FORWARDED]],
    [
      'a public address that is localhost',
      { PUBLIC_URL: 'http://localhost:8000' },
      ['/tools', 'Host: localhost', FORWARDED],
    ],
  ])('is not logged for %s', async (_, settings, head) => {
    expect(await toldOf(settings, head)).toEqual([]);
  });
});

describe('a HOST that is set', () => {
  test.each(['127.0.0.2', 'localhost'])(
    '%s is accepted as Host, with and without its port, and no other loopback address',
    async (host) => {
      const own = await startTestServer({ env: { HOST: host, PUBLIC_URL: 'https://my-app.example' } });

      const answers = await Promise.all(
        [new URL(own.url).host, host, '127.0.0.3'].map(async (name) =>
          sendRaw(own.url, ['GET / HTTP/1.1', `Host: ${name}`]),
        ),
      );
      await own.close();

      expect(answers.map(({ status }) => status)).toEqual([200, 200, 403]);
    },
  );
});

describe.each(['/health', '/ready'])('%s, which probes request', (path) => {
  test.each([
    ['the address of a pod as Host', ['HTTP/1.1', 'Host: 10.244.0.5:8000']],
    ['the name of a container as Host', ['HTTP/1.1', 'Host: mcp_server_1']],
    ['HTTP/1.0 without Host', ['HTTP/1.0']],
    ['an empty Host', ['HTTP/1.1', 'Host:']],
    ['a page of a foreign origin', ['HTTP/1.1', 'Host: evil.example', 'Origin: https://evil.example']],
  ])('is answered to %s, without CORS headers', async (_who, [version = '', ...lines]) => {
    const answer = await sendRaw(server.url, [`GET ${path} ${version}`, ...lines]);

    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });
});

describe("the server's own page", () => {
  const ownPage = ['GET / HTTP/1.1', 'Host: a.example', 'Origin: https://a.example'];

  test.each([
    ['under any name with authentication, where Host is not checked', { NODE_ENV: 'production' }, 200],
    [
      'under no name without authentication, where Host is not checked (DNS rebinding)',
      { NODE_ENV: 'production', AUTH_ENABLED: 'false', ALLOW_PUBLIC_WITHOUT_AUTH: 'true' },
      403,
    ],
    ['under a name in ALLOWED_HOSTS', { NODE_ENV: 'production', ALLOWED_HOSTS: 'a.example' }, 200],
  ])('may call its server %s', async (_circumstance, env: Record<string, string>, status) => {
    const own = await startTestServer({ env });

    const answer = await sendRaw(own.url, ownPage);
    const otherPort = await sendRaw(own.url, [...ownPage.slice(0, 2), 'Origin: https://a.example:444']);
    await own.close();

    expect([answer.status, otherPort.status]).toEqual([status, 403]);
  });
});

describe('Origin', () => {
  test.each([
    'http://localhost',
    'http://localhost:5173',
    'https://localhost:8443',
    'http://127.0.0.1:6274',
    'http://[::1]:3000',
    'https://my-app.example',
    'https://pages.example',
    'http://lan.example:3000',
    'chrome-extension://abcdef',
    'moz-extension://0a-1b',
    'app://obsidian.md',
    'tauri://localhost',
    'vscode-file://vscode-app',
  ])('%s is accepted and returned in Access-Control-Allow-Origin', async (origin) => {
    const answer = await ask('Host: localhost', `Origin: ${origin}`);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('vary')).toMatch(/\bOrigin\b/);
    // Tokens travel in headers, never in cookies: no page may send a browser's own credentials.
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    'null',
    '',
    'https://evil.example',
    'http://my-app.example',
    'https://my-app.example:444',
    'https://my-app.example.evil.example',
    'https://evil.example/https://my-app.example',
    'https://sub.my-app.example',
    'http://localhost.evil.example',
    'http://localhost:80@evil.example',
    'http://localhost/',
    'http://127.0.0.1.evil.example',
    'file://',
    'chrome-extension://abc',
    'localhost',
    'http://localhost http://evil.example',
    'http://lan.example',
    '*',
  ])('"%s" is 403 on every path except /health and /ready, without CORS headers', async (origin) => {
    const answers = await Promise.all(
      ['/tools', '/', '/mcp', '/nowhere'].map(async (path) =>
        sendRaw(server.url, [`GET ${path} HTTP/1.1`, 'Host: localhost', `Origin: ${origin}`]),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(answers.map(({ headers }) => headers.get('access-control-allow-origin'))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(answers[0]?.body).toMatchObject({ error: 'forbidden_origin' });
    expect(answers[0]?.headers.get('vary')).toMatch(/\bOrigin\b/);
  });

  test('may be absent: only browsers send it', async () => {
    const answer = await ask('Host: localhost');

    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });
});

describe('a preflight', () => {
  const ORIGIN = 'https://pages.example';
  /** Sends the preflight of an MCP request, as a browser does. */
  const preflight = (path: string, asked: string, origin = ORIGIN): Promise<Answer> =>
    send(`${server.url}${path}`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      },
    });

  test.each(['/mcp', '/sse', '/messages', '/tools', '/register'])(
    'of %s is 204 without a credential and allows the headers that browser clients need',
    async (path) => {
      const asked =
        'authorization,content-type,last-event-id,mcp-protocol-version,mcp-session-id,mcp-param-region';

      const answer = await preflight(path, asked);

      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(answer.headers.get('access-control-allow-headers')).toBe(asked);
      expect(answer.headers.get('access-control-allow-methods')?.split(', ')).toEqual(
        expect.arrayContaining(['GET', 'POST', 'DELETE']),
      );
      expect(Number(answer.headers.get('access-control-max-age'))).toBeGreaterThan(0);
      expect(answer.headers.get('vary')).toMatch(/Origin.*Access-Control-Request-Headers/);
    },
  );

  test('from an origin that is not allowed is 403', async () => {
    const answer = await preflight('/mcp', 'authorization', 'https://evil.example');

    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-headers')).toBeNull();
  });

  test.each(['x'.repeat(1_001), '*', 'a;b', 'a"b'])(
    'with an invalid list of headers is 204 and allows none of them: %.20s',
    async (asked) => {
      const answer = await preflight('/mcp', asked);

      expect([answer.status, answer.headers.get('access-control-allow-headers')]).toEqual([204, null]);
    },
  );
});

test('every answer, also a refusal or a stream, has CORS headers that expose what clients need', async () => {
  const origin = { Origin: 'http://localhost:5173' };
  const session = await openMcpSession(server.url, ADA);
  const inSession = { ...origin, 'Mcp-Session-Id': session.id };
  const { headers, body } = stateless({ method: 'tools/list' }, { token: ADA });

  const stream = await openStream(`${server.url}/mcp`, { token: ADA, headers: inSession });
  const sse = await openStream(`${server.url}/sse`, { token: ADA, headers: origin });
  const answers = [
    stream,
    sse,
    await send(`${server.url}/mcp`, { token: ADA, headers: origin, body: initialize() }),
    await send(`${server.url}/mcp`, { token: ADA, headers: inSession, body: callTool(1, 'whoami') }),
    await send(`${server.url}/mcp`, { token: ADA, headers: { ...headers, ...origin }, body }),
    await send(`${server.url}/mcp`, { headers: origin, body: initialize() }),
    await send(`${server.url}/nowhere`, { headers: origin }),
    await send(`${server.url}/register`, { headers: origin, method: 'POST' }),
    await send(`${server.url}/mcp`, { token: ADA, headers: origin, method: 'PUT' }),
    await send(`${server.url}/mcp`, { token: ADA, headers: origin, body: 'x'.repeat(2_000) }),
    await send(`${server.url}/mcp`, { token: ADA, headers: origin, body: '{' }),
  ];
  stream.close();
  sse.close();

  expect(answers.map(({ status }) => status)).toEqual([
    200, 200, 200, 200, 200, 401, 404, 404, 405, 413, 400,
  ]);
  for (const answer of answers) {
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    const exposed = answer.headers.get('access-control-expose-headers')?.toLowerCase().split(', ');
    expect(exposed).toEqual(
      expect.arrayContaining(['mcp-session-id', 'www-authenticate', 'retry-after', 'x-request-id']),
    );
  }
});
