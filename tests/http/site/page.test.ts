/** `GET /` without a browser: who gets which answer, with which headers, and that it discloses nothing to an anonymous visitor. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { clientIdsFor } from '../../../src/connect/clients.ts';
import { PACKAGE } from '../../support/package.ts';
import { type Answer, send, sendRaw } from '../../support/raw-http.ts';
import { startTestServer, TOKENS, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
afterEach(async () => server.close());

/** Starts a server and gets a path from it. */
async function get(
  path: string,
  { env, headers = {} }: { env?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Answer> {
  server = await startTestServer(env ? { env } : {});
  return send(`${server.url}${path}`, { headers });
}

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the page', () => {
  test('is HTML without a credential, with a Content-Security-Policy that allows only its own files', async () => {
    const { status, headers, text } = await get('/', { headers: HTML });

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;/,
    );
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('vary')).toContain('Accept');
    expect(text).not.toMatch(/<style|<script(?! type="module" src="\.\/page\/)|\son\w+=|\sstyle=|\{\{/);
  });

  test('shows every client of the connect table with the public URL, and no placeholder for it', async () => {
    const { text } = await get('/', { env: { PUBLIC_URL: 'https://mcp.example.org' }, headers: HTML });

    const shown = [...text.matchAll(/id="client-([\w-]+)"/g)].map(([, id]) => id);
    expect(shown).toEqual(clientIdsFor({ canSignIn: false }));
    expect(text).toContain('https://mcp.example.org/mcp');
    expect(text).toContain('https://mcp.example.org/sse');
    expect(text).not.toContain('your-server.example');
  });

  test('never takes its address from the Host header', async () => {
    const { text } = await get('/', {
      env: { HOST: '0.0.0.0' },
      headers: { ...HTML, 'X-Forwarded-Host': 'evil.example' },
    });

    expect(text).not.toContain('evil.example');
    expect(text).not.toContain(new URL(server.url).port);
    expect(text).toContain('https://your-server.example/mcp');
  });

  test('warns when authentication is off, and only then', async () => {
    const off = await get('/', { env: { AUTH_ENABLED: 'false' }, headers: HTML });
    await server.close();
    const on = await get('/', { headers: HTML });

    expect(off.text).toContain('<strong>Authentication is off.</strong>');
    expect(off.text).toContain('AUTH_ENABLED=false');
    expect(on.text).not.toContain('Authentication is off.');
  });

  test('names no variable that is not set', async () => {
    const { text } = await get('/', { env: { AUTH_ENABLED: '', TOKENS_FILE: '' }, headers: HTML });

    expect(text).toContain('<strong>Authentication is off.</strong>');
    expect(text).toContain('npm run token -- create --user me');
    expect(text).toMatch(/Authentication is on from\s+the next start/);
    expect(
      text.match(/\b[A-Z]+_[A-Z_]+\b/g)?.filter((word) => !/^(OPENAI_API_KEY|YOUR_TOKEN)$/.test(word)),
    ).toEqual([]);
  });

  test('leaves out the SSE transport when it is switched off', async () => {
    const { text } = await get('/', { env: { SSE_ENABLED: 'false' }, headers: HTML });

    expect(text).not.toContain('/sse');
  });

  test('discloses no user, no token and no path of the machine', async () => {
    const { text } = await get('/', { headers: HTML });

    const facts = [
      ...Object.keys(TOKENS),
      'ada',
      'Ada Lovelace',
      'Bob',
      'Greta',
      'greta',
      server.tokensPath,
      process.cwd(),
    ];
    expect(facts.filter((fact) => text.includes(fact))).toEqual([]);
  });

  test('is HTML for curl, and says that a token is needed', async () => {
    const { headers, text } = await get('/', { headers: { Accept: '*/*' } });

    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(text).toContain('Authorization: Bearer');
  });

  test("may be framed by Replit's workspace at a development address there, and nowhere else", async () => {
    const preview = await get('/', { env: { PUBLIC_URL: 'https://abc.replit.dev' }, headers: HTML });
    await server.close();
    const lookalike = await get('/', {
      env: { PUBLIC_URL: 'https://replit.dev.example.org' },
      headers: HTML,
    });

    expect(preview.headers.get('content-security-policy')).toContain('frame-ancestors https://replit.com;');
    expect(preview.headers.get('x-frame-options')).toBeNull();
    expect(lookalike.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});

test('GET / is JSON for clients that accept only JSON', async () => {
  const { status, headers, body } = await get('/', { headers: { Accept: 'application/json' } });

  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('application/json');
  expect(body).toEqual({
    name: PACKAGE.name,
    version: PACKAGE.version,
    authentication: 'bearer',
    transports: { 'streamable-http': '/mcp', sse: '/sse' },
    tools: '/tools',
    health: '/health',
  });
});

describe('the files of the page', () => {
  test.each([
    ['/page/base.css', 'text/css; charset=utf-8'],
    ['/page/page.js', 'text/javascript; charset=utf-8'],
    ['/page/icon.svg', 'image/svg+xml'],
  ])('%s is served as %s', async (path, type) => {
    const { status, headers } = await get(path);

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe(type);
    expect(headers.get('cache-control')).toBe('no-cache');
  });

  test.each(['/', '/page/page.js'])(
    '%s is answered 304 without a body when it has not changed',
    async (path) => {
      const first = await get(path, { headers: HTML });
      const etag = first.headers.get('etag') ?? '';
      // Not by fetch: beside If-None-Match it sends Cache-Control: no-cache, which asks for the whole file.
      const second = await sendRaw(server.url, [
        `GET ${path} HTTP/1.1`,
        `Host: ${new URL(server.url).host}`,
        'Accept: text/html',
        `If-None-Match: ${etag}`,
      ]);

      expect(etag).toMatch(/^"[\w-]{22}"$/);
      expect(second.status).toBe(304);
      expect(second.text).toBe('');
    },
  );

  test.each([
    '/page/index.html',
    '/page/tsconfig.json',
    '/page/..%2fpackage.json',
    '/page/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/page/constructor',
    '/page/',
    '/page/sub/page.js',
  ])('%s is a 404', async (path) => {
    const { status, body } = await get(path);

    expect(status).toBe(404);
    expect(body).toMatchObject({ error: 'not_found' });
  });
});
