/** A server whose PUBLIC_URL has a path: behind a proxy that strips the path, behind one that does not, and asked directly. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { listSources } from '../support/compiled-source.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { findFreePort } from '../support/free-port.ts';
import { testInCi } from '../support/in-ci.ts';
import { ROOT } from '../support/process.ts';
import { rpc, send } from '../support/raw-http.ts';
import { newSecret, signIn } from '../support/sign-in.ts';
import { smoke } from '../support/smoke-run.ts';
import { openStream } from '../support/sse-reader.ts';
import { ADA, BOB, startTestServer } from '../support/start-server.ts';

const BASE = '/apps/mcp-app';

const JSON_ONLY = { Accept: 'application/json' };

/** How a proxy rewrites the path of a request. */
const PROXIES = {
  'that takes the path off': (url: string) => url.slice(BASE.length) || '/',
  'that leaves the path as it is': (url: string) => url,
} as const;

/** A server under a path, behind a proxy; `url` is the address that clients use. */
async function startUnderPath(rewrite: (url: string) => string, env: Readonly<Record<string, string>> = {}) {
  const port = await findFreePort();
  const proxy = await startFaultyProxy(`http://127.0.0.1:${port}`, {
    changeRequest(incoming) {
      const { url: asked = '' } = incoming;
      // Clients look for these at the root of the host, with the path behind their names.
      if (!asked.startsWith('/.well-known/')) incoming.url = rewrite(asked);
    },
  });
  const url = `${proxy.url}${BASE}`;
  const server = await startTestServer({
    env: { PORT: String(port), PUBLIC_URL: `${url}/`, SSE_KEEPALIVE_SECONDS: '1', ...env },
  });
  return {
    url,
    origin: proxy.url,
    direct: server.url,
    async close() {
      await proxy.close();
      await server.close();
    },
  };
}

describe.each(Object.entries(PROXIES))('behind a proxy %s', (_what, rewrite) => {
  let fixture: Awaited<ReturnType<typeof startUnderPath>>;
  let url = '';
  beforeAll(async () => {
    fixture = await startUnderPath(rewrite);
    ({ url } = fixture);
  });
  afterAll(async () => fixture.close());

  // These depend little on how the proxy rewrites the path.
  const testIt = rewrite === Object.values(PROXIES)[0] ? test : testInCi;

  testIt('the smoke test passes', async () => {
    const run = await smoke(url, '--token', ADA, '--token2', BOB, '--expect-user', 'ada');

    expect(run.steps.filter(({ status }) => ['failed', 'blocked'].includes(status))).toEqual([]);
    expect(run.exitCode).toBe(0);
  });

  testIt("the SDK's HTTP+SSE client can call a tool", async () => {
    const client = new Client({ name: 'under a path', version: '1.0.0' });
    const headers = { Authorization: `Bearer ${ADA}` };
    await client.connect(new SSEClientTransport(new URL(`${url}/sse`), { requestInit: { headers } }));

    const { content } = await client.callTool({ name: 'echo_message', arguments: { message: 'here' } });

    expect(content).toEqual([{ type: 'text', text: 'here' }]);
    await client.close();
  });

  test('the endpoint event has the base path, behind the proxy and asked directly', async () => {
    for (const at of [url, fixture.direct]) {
      const stream = await openStream(`${at}/sse`, { token: ADA });
      const { data } = await stream.waitFor(({ event }) => event === 'endpoint');
      const endpoint = new URL(data ?? '', at);
      const { status } = await send(endpoint.href, { token: ADA, body: rpc(1, 'ping') });

      expect(endpoint.pathname).toBe(`${BASE}/messages`);
      expect(status).toBe(202);
      stream.close();
    }
  });

  testIt('the files, links and configurations of the page have the base path', async () => {
    const page = await send(`${url}/`, { headers: { Accept: 'text/html' } });
    const links = [...page.text.matchAll(/(?:href|src)="([^"#h][^"]*)"/g)].map(([, link = '']) => link);

    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !link.startsWith(`${BASE}/`))).toEqual([]);
    for (const link of new Set(links)) {
      const { status } = await send(new URL(link, fixture.origin).href);
      expect({ link, status }).toEqual({ link, status: 200 });
    }
    expect(page.text).toContain(`&#34;url&#34;: &#34;${url}/mcp&#34;`);
  });

  test('the description of the server at / has the base path in every URL', async () => {
    const { body } = await send(`${url}/`, { headers: JSON_ONLY });

    expect(body).toMatchObject({
      transports: { 'streamable-http': `${url}/mcp`, sse: `${url}/sse` },
      tools: `${url}/tools`,
      health: `${url}/health`,
    });
  });

  testIt('users can sign in, and every URL in the OAuth metadata has the base path', async () => {
    const signing = await startUnderPath(rewrite, { SERVER_SECRET: newSecret() });
    const refused = await send(`${signing.url}/mcp`);
    const resource = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1];
    const documents = await Promise.all(
      [resource ?? '', `${signing.origin}/.well-known/oauth-protected-resource${BASE}/mcp`,
        `${signing.origin}/.well-known/oauth-authorization-server${BASE}`].map(async (at) => send(at)),
    ); // prettier-ignore
    const { access_token: token } = await signIn(signing.url, ADA);

    expect(documents.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(documents[0]?.body).toMatchObject({
      resource: `${signing.url}/mcp`,
      authorization_servers: [signing.url],
    });
    expect(documents[1]?.body).toEqual(documents[0]?.body);
    for (const { text } of documents)
      for (const [address] of text.matchAll(/http[^"]+/g)) expect(address.startsWith(signing.url)).toBe(true);
    expect((await send(`${signing.url}/tools`, { token })).body).toMatchObject({ user: { userId: 'ada' } });
    await signing.close();
  });
});

test('a path that only begins with the same letters as the base path is not stripped', async () => {
  const server = await startTestServer({ env: { PUBLIC_URL: 'http://localhost/heal' } });

  const answers = await Promise.all(
    ['/heal', '/heal/', '/heal?x', '/healthy', '/heal/health', '/health', '/tools'].map((at) => send(server.url + at, { headers: JSON_ONLY })),
  ); // prettier-ignore

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 200, 200, 401]);
  expect(answers.map(({ text }) => text.includes('"transports"'))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  await server.close();
});

test('PUBLIC_URL may not have the path of a route as its base path', async () => {
  const names = await listSources('src/http');
  const texts = await Promise.all(
    names.map(async (name) => readFile(path.join(ROOT, 'src/http', name), 'utf8')),
  );
  const routes = texts.flatMap((text) =>
    [...text.matchAll(/(?:path: |\[)['`](\/[a-z][\w./]*)/g)].map(([, route = '']) =>
      route.replace(/\/$/, ''),
    ),
  );
  const allowed = routes.filter(
    (route) => PUBLIC_ADDRESS.safeParse(`https://my-app.example${route}`).success,
  );

  expect(routes).toEqual(expect.arrayContaining(['/mcp', '/tools', '/health', '/ready']));
  expect(allowed).toEqual([]);
});
