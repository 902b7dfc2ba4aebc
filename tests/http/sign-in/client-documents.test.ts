/** Clients that sign in with a Client ID Metadata Document like those of the vendors, which the server reads from an https host of the test's own. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSandbox } from '../../support/process.ts';
import { send } from '../../support/raw-http.ts';
import { createSelfSignedCertificate } from '../../support/self-signed.ts';
import {
  type ServerProcess,
  startServer,
  TOKEN,
  waitForLog,
  WITH_TOKENS,
} from '../../support/server-process.ts';
import { allow, askFor, exchange, newSecret, openPage, refresh, type Tokens } from '../../support/sign-in.ts';

/** What the documents of the vendors say, besides their own URL. */
const DOCUMENTS: Readonly<Record<string, object>> = {
  claude: {
    client_name: 'Claude',
    client_uri: 'https://claude.ai',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  'claude-code': {
    client_name: 'Claude Code',
    client_uri: 'https://claude.ai',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  chatgpt: {
    client_name: 'ChatGPT',
    client_uri: 'https://chatgpt.com',
    redirect_uris: ['https://chatgpt.com/connector/oauth/AbC_d-9'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    response_types: ['code'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg: 'RS256',
    jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
  },
  'vs-code': {
    client_name: 'Visual Studio Code',
    client_uri: 'https://vscode.dev/product',
    logo_uri: null,
    redirect_uris: [
      'http://127.0.0.1:33418/',
      'https://vscode.dev/redirect',
      'https://insiders.vscode.dev/redirect',
    ],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  },
};

const sandbox = createSandbox();
let host: Server;
let origin = '';
/** The documents that were requested. */
const asked: string[] = [];
let server: ServerProcess;
beforeAll(async () => {
  const certificate = createSelfSignedCertificate('localhost');
  host = createServer(certificate, ({ url = '' }, res) => {
    asked.push(url);
    const document = DOCUMENTS[path.basename(url, '.json')];
    if (document === undefined) return res.writeHead(302, { Location: '/oauth/claude.json' }).end();
    const body = JSON.stringify({ client_id: origin + url, ...document });
    return res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(body);
  }).listen(0, 'localhost');
  await once(host, 'listening');
  const name = `localhost:${(host.address() as AddressInfo).port}`;
  origin = `https://${name}`;
  const cwd = await sandbox.folder({ ...WITH_TOKENS.files, 'ca.pem': certificate.cert });
  server = await startServer(sandbox, {
    cwd,
    env: {
      ...WITH_TOKENS.env,
      SERVER_SECRET: newSecret(),
      OAUTH_CLIENT_HOSTS: name,
      NODE_EXTRA_CA_CERTS: path.join(cwd, 'ca.pem'),
    },
  });
});
afterAll(async () => {
  await sandbox.close();
  host.close();
  host.closeAllConnections();
});

test.each([
  ['claude', 'Claude', 'https://claude.ai/api/mcp/auth_callback', 'claude.ai'],
  ['claude-code', 'Claude Code', 'http://localhost:54321/callback', 'a program on this computer'],
  ['chatgpt', 'ChatGPT', 'https://chatgpt.com/connector/oauth/AbC_d-9', 'chatgpt.com'],
  ['vs-code', 'Visual Studio Code', 'http://127.0.0.1:40000/', 'a program on this computer'],
])('a document like that of %s is read once, and its client can sign in', async (file, name, redirect_uri, place) => {
  const { url } = server;
  const clientId = `${origin}/oauth/${file}.json`;
  const asking = askFor(url, clientId, { redirect_uri, scope: 'openid profile offline_access' });

  const page = await openPage(url, asking);
  const callback = await allow(url, asking, TOKEN.ada);
  const given = (await exchange(url, asking, callback.searchParams.get('code') ?? '')).body as Tokens;
  const again = (await refresh(url, clientId, given.refresh_token)).body as Tokens;
  const tools = await send(`${url}/tools`, { token: again.access_token });

  expect(page.text).toContain(`<strong>${name}</strong>`);
  expect(page.text).toContain(`verified: ${new URL(origin).host}`);
  expect(page.text).toContain(place);
  expect(page.text).not.toContain('not verified');
  expect(callback.href.startsWith(`${redirect_uri}?code=mcp_ac_`)).toBe(true);
  expect(tools).toMatchObject({ status: 200, body: { user: { userId: 'ada' } } });
  expect(asked.filter((one) => one === `/oauth/${file}.json`)).toHaveLength(1);
}); // prettier-ignore

test('a redirect of a client document is not followed; the page says that the document cannot be used, and the log why', async () => {
  const before = asked.length;

  const { status, text } = await openPage(server.url, askFor(server.url, `${origin}/oauth/moved.json`));

  expect([status, asked.slice(before)]).toEqual([400, ['/oauth/moved.json']]);
  expect(text).toContain('The document that describes the client cannot be used.');
  expect(await waitForLog(server, 'document of a client cannot be used')).toMatchObject({
    reason: 'status 302',
  });
});
