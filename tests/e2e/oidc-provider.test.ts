/** A real identity provider in a process of its own: the SDK's client signs in there, and calls here with a JWT, then with an opaque token. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import path from 'node:path';
import { findModernNode } from '../../scripts/modern-node.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitFor } from '../support/process.ts';
import { callTool, openMcpSession, send } from '../support/raw-http.ts';
import { findFreePort } from '../support/free-port.ts';
import { startTestServer, type TestServer } from '../support/start-server.ts';

const REDIRECT = 'http://127.0.0.1:3118/callback';

const sandbox = createSandbox();
let node: string;
// npm may have to download a Node first.
beforeAll(async () => {
  node = await findModernNode();
}, 180_000);
afterEach(async () => sandbox.close());

/** What a server asks about opaque tokens with. */
const CLIENT = { OAUTH_CLIENT_ID: 'mcp-server', OAUTH_CLIENT_SECRET: 'secret' };

/** Starts the provider, and a server that accepts its tokens. */
async function start(format: 'jwt' | 'opaque'): Promise<{ server: TestServer; issuer: string }> {
  // The provider is told for whom tokens are, and the server by whom they are: one of the addresses must be known first.
  const port = await findFreePort();
  const provider = sandbox.spawn({
    command: node,
    args: [path.join(ROOT, 'tests/support/oidc-provider-server.mjs')],
    cwd: await sandbox.folder(),
    env: { FORMAT: format, RESOURCE: `http://127.0.0.1:${port}/mcp` },
  });
  const issuer = await waitFor(`the provider\n${provider.stderr()}`, () =>
    /(http:\S+)\n/.exec(provider.stdout())?.at(1),
  );
  const server = await startTestServer({
    env: { PORT: String(port), OAUTH_ISSUER: issuer, ...(format === 'opaque' && CLIENT) },
  });
  sandbox.defer(async () => server.close());
  return { server, issuer };
}

/** Follows the redirects of a sign-in as a browser does, with its cookies, until they lead to the client. */
async function followToCallback(asked: URL): Promise<URLSearchParams> {
  const cookies = new Map<string, string>();
  const way: string[] = [];
  let at = asked;
  for (let count = 0; count < 12; count += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const { headers, status, body } = await fetch(at, { redirect: 'manual', headers: { Cookie: cookie } });
    await body?.cancel();
    for (const line of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = headers.get('location');
    if (location === null) throw new Error(`The sign-in ended with ${status} at ${at.pathname}.`);
    at = new URL(location, at);
    way.push(at.pathname);
    if (at.href.startsWith(REDIRECT)) return at.searchParams;
  }
  throw new Error(`The sign-in goes round in circles, by ${way.join(' ')}.`);
}

/** What came of a sign-in. */
interface SignedIn {
  readonly client: Client;
  /** How the provider knows that client. */
  readonly clientId: string;
  readonly token: string;
}

/** Signs in with the SDK's client, which finds everything out by itself; `scope` takes the place of what it would ask for. */
async function signIn(url: string, { scope }: { scope?: string } = {}): Promise<SignedIn> {
  const kept: {
    client?: { client_id: string };
    tokens?: { access_token: string };
    verifier?: string;
    discovery?: unknown;
    asked?: URL;
  } = {};
  const authProvider = {
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT], client_name: 'SDK', token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client: { client_id: string }) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens: { access_token: string }) => void (kept.tokens = tokens),
    redirectToAuthorization: (asked: URL) => void (kept.asked = asked),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    saveDiscoveryState: (state: unknown) => void (kept.discovery = state),
    discoveryState: () => kept.discovery,
  };
  const connect = async (): Promise<Client> => {
    const client = new Client({ name: 'sdk', version: '1.0.0' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL('/mcp', url), { authProvider: authProvider as never }),
    );
    return client;
  };
  await connect().catch(() => undefined);
  if (kept.asked === undefined) throw new Error('The client has not asked.');
  if (scope !== undefined) kept.asked.searchParams.set('scope', scope);
  const back = await followToCallback(kept.asked);
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    authProvider: authProvider as never,
  });
  await transport.finishAuth(back);
  const client = await connect();
  sandbox.defer(async () => client.close());
  return { client, clientId: kept.client?.client_id ?? '', token: kept.tokens?.access_token ?? '' };
}

// What is opaque is asked about below, too.
describe.each([
  ['jwt', test],
  ['opaque', testInCi],
] as const)('with tokens that are %s', (format, testIt) => {
  testIt(
    'the SDK’s client signs in at the provider and calls here; what it did not ask for, it has to sign in for again',
    async () => {
      const { server, issuer } = await start(format);

      const { client, token } = await signIn(server.url);
      const { content } = await client.callTool({ name: 'whoami', arguments: {} });
      const session = await openMcpSession(server.url, token);
      const echo = await session.post(callTool(1, 'echo_message', { message: 'x' }));
      const altered = await send(`${server.url}/tools`, { token: `${token}x` });
      const { token: narrow } = await signIn(server.url, { scope: 'greet' });
      const narrowSession = await openMcpSession(server.url, narrow);
      const greeted = await narrowSession.post(callTool(1, 'get_greeting', { name: 'Zoë' }));
      const refused = await narrowSession.post(callTool(2, 'echo_message', { message: 'x' }));

      const who = JSON.parse((content as { text: string }[])[0]?.text ?? '{}') as object;
      expect(who).toMatchObject({ userId: 'grace', scopes: ['greet', 'echo'] });
      expect(token.startsWith('eyJ')).toBe(format === 'jwt');
      expect([echo.status, altered.status]).toEqual([200, 401]);
      expect([greeted.status, greeted.text]).toEqual([200, expect.stringContaining('Hello, Zoë!')]);
      expect(refused.status).toBe(403);
      expect(refused.headers.get('www-authenticate')).toMatch(
        /error="insufficient_scope".*scope="greet echo"/,
      );
      expect(server.lines.find(({ msg }) => msg === 'tool call')).toMatchObject({
        userId: `${issuer}#grace`,
      });
    },
  );
});

// What a provider says of a token is looked at in the tests of src/http/provider/ whenever they run.
testInCi(
  'a token that its client has revoked at the provider is refused, and another one of that user is not',
  async () => {
    const { server, issuer } = await start('opaque');
    const [revoked, other] = [await signIn(server.url), await signIn(server.url)];
    // What the first server was told counts there for half a minute; this one has asked nothing yet.
    const second = await startTestServer({
      env: { OAUTH_ISSUER: issuer, OAUTH_AUDIENCE: `${server.url}/mcp`, ...CLIENT },
    });
    sandbox.defer(async () => second.close());

    const revocation = await fetch(`${issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token: revoked.token, client_id: revoked.clientId }),
    });
    await revocation.body?.cancel();
    const answers = [
      await send(`${second.url}/tools`, { token: revoked.token }),
      await send(`${second.url}/tools`, { token: other.token }),
    ];

    expect(revocation.status).toBe(200);
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(answers[0]?.body).toMatchObject({ error_description: expect.stringContaining('not active') });
    expect(second.lines.find(({ status }) => status === 401)).toMatchObject({ reason: 'revoked' });
  },
);
