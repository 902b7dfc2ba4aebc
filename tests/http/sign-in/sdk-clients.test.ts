/** The clients of the SDKs sign in by themselves: discovery, registration, the page, the exchange, and later a refresh. */
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send } from '../../support/raw-http.ts';
import { newSecret, sendForm, ticketOf } from '../../support/sign-in.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const REDIRECT = 'http://localhost:3118/callback';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { SERVER_SECRET: newSecret() } });
});
afterAll(async () => server.close());

/** Keeps what a client stores about its sign-in, in the form that both SDKs expect. */
function createKeeper() {
  const kept: { client?: unknown; tokens?: unknown; verifier?: string; discovery?: unknown; asked?: URL } =
    {};
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT], client_name: 'SDK', token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens: unknown) => void (kept.tokens = tokens),
    redirectToAuthorization: (url: URL) => void (kept.asked = url),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    saveDiscoveryState: (state: unknown) => void (kept.discovery = state),
    discoveryState: () => kept.discovery,
    codeVerifier: () => kept.verifier ?? '',
  };
  // One object for two versions of the SDK, whose types name the same things differently.
  return { kept, provider: provider as never };
}

/** Allows the sign-in as a user does; resolves to the parameters that the client gets back. */
async function allowOnPage(asked: URL | undefined): Promise<URLSearchParams> {
  if (asked === undefined) throw new Error('The client has not asked.');
  const ticket = ticketOf(await send(asked.href, { headers: { Accept: 'text/html' } }));
  const { headers } = await sendForm(`${asked.origin}/authorize`, { ticket, token: ADA, action: 'allow' });
  return new URL(headers.get('location') ?? '').searchParams;
}

/** The transports that can finish a sign-in. */
const TRANSPORTS = {
  'v1 http': (url: URL, authProvider: never) => new HttpV1(url, { authProvider }),
  'v1 sse': (url: URL, authProvider: never) => new SseV1(url, { authProvider }),
  'v2 http': (url: URL, authProvider: never) => new HttpV2(url, { authProvider }),
} as const;

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])('%s', (kind) => {
  test('signs in, calls a tool as the user of the token, and refreshes a token that is refused', async () => {
    const { kept, provider } = createKeeper();
    const url = new URL(kind.endsWith('sse') ? '/sse' : '/mcp', server.url);
    const connect = async () => {
      const info = { name: kind, version: '1.0.0' };
      const transport = TRANSPORTS[kind](url, provider);
      const client = kind.startsWith('v1') ? new ClientV1(info) : new ClientV2(info);
      return { client, transport, connected: client.connect(transport) };
    };
    const first = await connect();
    await expect(first.connected).rejects.toThrow(/unauthorized/i);
    const answer = await allowOnPage(kept.asked);
    await first.transport.finishAuth(
      kind.startsWith('v1') ? (answer.get('code') as never) : (answer as never),
    );

    const second = await connect();
    await second.connected;
    const mine = await second.client.callTool({ name: 'whoami', arguments: {} });
    await second.client.close();
    kept.tokens = { ...(kept.tokens as object), access_token: 'mcp_at_gone' };
    const third = await connect();
    await third.connected;
    await third.client.close();

    expect(JSON.stringify(mine)).toContain('ada');
    expect((kept.tokens as { access_token: string }).access_token).not.toBe('mcp_at_gone');
  });
});
