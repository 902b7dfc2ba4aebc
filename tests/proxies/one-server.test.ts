/** One server behind the real programs, on the examples of `deploy/` for it: the whole smoke test passes through each. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, expect, jest } from '@jest/globals';
import { findFreePort } from '../support/free-port.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, waitFor, waitForEnd } from '../support/process.ts';
import { CADDY, describeBehind, NGINX, type Proxy, readExample, startProgram } from '../support/proxies.ts';
import { send } from '../support/raw-http.ts';
import { createSelfSignedCertificate } from '../support/self-signed.ts';
import { FAST, smoke } from '../support/smoke-run.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

// A run takes seconds by nature: it waits for heartbeats. On a busy machine that adds up.
jest.setTimeout(60_000);

const sandbox = createSandbox();
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(async () => sandbox.close());

/** A server as it is started behind a proxy, known by the address that clients use. */
async function startServer(PUBLIC_URL: string): Promise<TestServer> {
  const env = { PUBLIC_URL, TRUST_PROXY: 'true', SSE_KEEPALIVE_SECONDS: '1' };
  const server = await startTestServer({ env });
  servers.push(server);
  return server;
}

/** nginx's configuration around what stands in `http { … }`. */
function nginxWith(http: string): string {
  return `daemon off; error_log stderr warn; pid nginx.pid; events {} http { access_log off; ${http} }`;
}

/** The smoke test as a program, since which certificates count is decided when Node starts; what it prints. */
async function smokeOverTls(url: string, { folder }: Proxy, authority: string) {
  const run = sandbox.spawn({
    args: [builtFile('scripts/smoke.js'), url, ...FAST, '--expect-user', 'ada', '--json'],
    cwd: folder,
    env: { SMOKE_TOKEN: ADA, SMOKE_TOKEN2: BOB, NODE_EXTRA_CA_CERTS: path.join(folder, authority) },
  });
  const { code } = await waitForEnd(run, { timeoutMs: 50_000 });
  const { steps } = JSON.parse(run.stdout()) as { steps: { id: string; status: string; detail: string }[] };
  return {
    code,
    bad: steps.filter(({ status }) => status === 'failed' || status === 'blocked'),
    tls: steps.filter(({ id }) => id === 'certificates' || id === 'tls').map(({ status }) => status),
  };
}

describeBehind(NGINX)('nginx', () => {
  testInCi('under a path of a site of its own', async () => {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}/mcp-app`;
    const server = await startServer(url);
    const locations = (await readExample('nginx-path.conf')).replaceAll('http://127.0.0.1:8000', server.url);
    const text = nginxWith(`server { listen 127.0.0.1:${port}; location / { return 418; } ${locations} }`);
    await startProgram(sandbox, NGINX, { text, url });

    const run = await smoke(url, '--token', ADA, '--token2', BOB, '--expect-user', 'ada');
    const elsewhere = await send(`http://127.0.0.1:${port}/mcp`);
    const document = await send(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server/mcp-app`);

    expect(run.steps.filter(({ status }) => ['failed', 'blocked'].includes(status))).toEqual([]);
    expect(elsewhere.status).toBe(418);
    // Nobody can sign in here, which the server itself says.
    expect(document.body).toMatchObject({ error: expect.any(String) as unknown });
  });

  testInCi('with TLS', async () => {
    const port = await findFreePort();
    const url = `https://localhost:${port}`;
    const server = await startServer(url);
    const { cert, key } = createSelfSignedCertificate('localhost');
    const plain = await findFreePort();
    const site = (await readExample('nginx-site.conf'))
      .replace('127.0.0.1:8000', new URL(server.url).host)
      .replaceAll(/^ *listen \[::\].*$/gm, '')
      .replace('listen 80;', `listen 127.0.0.1:${plain};`)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replaceAll('my-app.example;', 'localhost;')
      .replaceAll(/\/etc\/letsencrypt\/live\/my-app\.example\//g, '');
    const proxy = await startProgram(sandbox, NGINX, {
      text: nginxWith(site),
      url,
      // It refuses to start on a certificate that it cannot use, so that whoever answers here has both.
      ready: `${server.url}/health`,
      files: { 'fullchain.pem': cert, 'privkey.pem': key },
    });
    const redirect = await waitFor('nginx', async () =>
      send(`http://127.0.0.1:${plain}/mcp`).catch(() => undefined),
    );

    expect(await smokeOverTls(url, proxy, 'fullchain.pem')).toEqual({
      code: 0,
      bad: [],
      tls: ['passed', 'passed'],
    });
    expect(redirect.status).toBe(301);
  });
});

describeBehind(CADDY)('Caddy of compose.yaml, with a certificate of its own authority', () => {
  testInCi('with TLS by itself', async () => {
    const [port, plain] = [await findFreePort(), await findFreePort()];
    const url = `https://localhost:${port}`;
    const server = await startServer(url);
    const text = (await readExample('compose.Caddyfile')).replace(
      'admin off',
      `admin off\n\thttp_port ${plain}\n\thttps_port ${port}`,
    );
    const data = await sandbox.folder();
    const proxy = await startProgram(sandbox, CADDY, {
      text,
      url,
      ready: `${server.url}/health`,
      env: { UPSTREAM: new URL(server.url).host, DOMAIN: 'localhost', XDG_DATA_HOME: data },
    });
    const authority = path.join(data, 'caddy/pki/authorities/local/root.crt');
    await waitFor(
      'the certificate',
      async () => /certificate obtained/.test(proxy.stderr()) && readFile(authority).catch(() => undefined),
    );

    expect(await smokeOverTls(url, proxy, path.relative(proxy.folder, authority))).toEqual({
      code: 0,
      bad: [],
      tls: ['passed', 'passed'],
    });
  });
});
