/** Signs in at a server of ours as a client and its user do: registers, answers the page with a token, exchanges the code. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** A client of the user's own machine, on whatever port. */
const CALLBACK = 'http://127.0.0.1/callback';

/** What came of a sign-in. */
export interface SignedIn {
  readonly clientId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

const CLIENT = z.looseObject({ client_id: z.string() });
const TOKENS = z.looseObject({ access_token: z.string(), refresh_token: z.string() });

/** Signs in with a token, at the address that is to be used from then on: what comes of it is good there alone. */
export async function signIn(url: string, token: string): Promise<SignedIn> {
  const clientId = await registerClient(url);
  const verifier = randomBytes(32).toString('base64url');
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const callback = await allowOnPage(`${url}/authorize?${asked.toString()}`, token);
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(callback).searchParams.get('code') ?? '',
      client_id: clientId,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    }),
  });
  const tokens = TOKENS.parse(await response.json());
  return { clientId, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

/** Registers a client that listens on this machine; returns its id. */
export async function registerClient(url: string): Promise<string> {
  const response = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'lab',
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: 'none',
    }),
  });
  return CLIENT.parse(await response.json()).client_id;
}

/** Opens the page that a client sends its user to, and allows it with a token; returns where that leads. */
export async function allowOnPage(address: string, token: string): Promise<string> {
  const page = await (await fetch(address, { headers: { Accept: 'text/html' } })).text();
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const { origin, pathname } = new URL(address);
  const { status, headers } = await fetch(origin + pathname, {
    method: 'POST',
    redirect: 'manual',
    headers: { Accept: 'text/html', Origin: origin },
    body: new URLSearchParams({ ticket, token, action: 'allow' }),
  });
  const location = headers.get('location');
  if (status !== 303 || location === null) throw new Error(`The sign-in page answered ${status}.`);
  return location;
}
