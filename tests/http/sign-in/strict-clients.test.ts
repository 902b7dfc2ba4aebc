/** Two certified clients with every validation on: oauth4webapi step by step, and openid-client, which does the steps by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { send } from '../../support/raw-http.ts';
import { newSecret, sendForm, ticketOf } from '../../support/sign-in.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const REDIRECT = 'http://127.0.0.1:3118/callback';
const METADATA = { redirect_uris: [REDIRECT], client_name: 'strict', token_endpoint_auth_method: 'none' };

/** Turns off the one validation that a server without TLS cannot pass. */
const INSECURE = { [oauth.allowInsecureRequests]: true };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { SERVER_SECRET: newSecret() } });
});
afterAll(async () => server.close());

/** Allows the sign-in as a user does; resolves to the URL of the redirect. */
async function allowOnPage(asked: URL): Promise<URL> {
  const ticket = ticketOf(await send(asked.href, { headers: { Accept: 'text/html' } }));
  const { headers } = await sendForm(`${asked.origin}/authorize`, { ticket, token: ADA, action: 'allow' });
  return new URL(headers.get('location') ?? '');
}

/** The user of a token, or the status of a refusal. */
async function userOf(token: string): Promise<unknown> {
  const { status, body } = await send(`${server.url}/tools`, { token });
  return status === 200 ? (body as { user: { userId: string } }).user.userId : status;
}

test('oauth4webapi signs in, refreshes and revokes', async () => {
  const resource = new URL(`${server.url}/mcp`);
  const protectedResource = await oauth.processResourceDiscoveryResponse(
    resource,
    await oauth.resourceDiscoveryRequest(resource, INSECURE),
  );
  const issuer = new URL(protectedResource.authorization_servers?.[0] ?? '');
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE });
  const as = await oauth.processDiscoveryResponse(issuer, found);
  const registration = await oauth.dynamicClientRegistrationRequest(as, METADATA, INSECURE);
  const registered = await oauth.processDynamicClientRegistrationResponse(registration);

  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const asked = new URL(as.authorization_endpoint ?? '');
  asked.search = new URLSearchParams({
    client_id: registered.client_id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: resource.href,
  }).toString();
  const parameters = oauth.validateAuthResponse(as, registered, await allowOnPage(asked), state);
  const tokens = await oauth.processAuthorizationCodeResponse(
    as,
    registered,
    await oauth.authorizationCodeGrantRequest(
      as,
      registered,
      oauth.None(),
      parameters,
      REDIRECT,
      verifier,
      INSECURE,
    ),
  );
  const refreshed = await oauth.processRefreshTokenResponse(
    as,
    registered,
    await oauth.refreshTokenGrantRequest(as, registered, oauth.None(), tokens.refresh_token ?? '', INSECURE),
  );
  const users = [await userOf(tokens.access_token), await userOf(refreshed.access_token)];
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, registered, oauth.None(), refreshed.refresh_token ?? '', INSECURE),
  );

  expect(users).toEqual(['ada', 'ada']);
  expect(await userOf(refreshed.access_token)).toBe(401);
});

test('openid-client signs in and refreshes', async () => {
  const config = await client.dynamicClientRegistration(new URL(server.url), METADATA, client.None(), {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const asked = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: expectedState,
    resource: `${server.url}/mcp`,
  });

  const back = await allowOnPage(asked);
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier,
    expectedState,
  });
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');

  expect([await userOf(tokens.access_token), await userOf(refreshed.access_token)]).toEqual(['ada', 'ada']);
});
