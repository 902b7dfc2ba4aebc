/** Signs in as clients and people do, request by request: discovery, registration, the page, the form, and the exchange of the code. */
import { createHash, randomBytes } from 'node:crypto';
import { type Answer, send } from './raw-http.ts';

/** Makes a secret as `npm run token -- secret` prints it. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** A redirect URI on the user's own machine. */
export const LOOPBACK = 'http://127.0.0.1:3118/callback';

/** Registers a client; returns the server's answer. */
export async function register(
  url: string,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await send(`${url}/register`, {
    body: { redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none', ...metadata },
  });
  if (answer.status !== 201) throw new Error(`Not registered: ${answer.status} ${answer.text}`);
  return answer.body as Readonly<Record<string, unknown>>;
}

/** What a client keeps while its user is on the sign-in page. */
export interface Asking {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly verifier: string;
  readonly state: string;
  /** The parameters of the authorization request. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Makes an authorization request. `more` adds parameters; those that are undefined are removed. */
export function askFor(
  url: string,
  clientId: string,
  more: Readonly<Record<string, string | undefined>> = {},
): Asking {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(8).toString('hex');
  const all: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: LOOPBACK,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${url}/mcp`,
    ...more,
  };
  const parameters = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return { clientId, redirectUri: all['redirect_uri'] ?? LOOPBACK, verifier, state, parameters };
}

/** Opens the sign-in page. */
export async function openPage(
  url: string,
  { parameters }: Pick<Asking, 'parameters'>,
  headers: Readonly<Record<string, string>> = { Accept: 'text/html' },
): Promise<Answer> {
  return send(`${url}/authorize?${new URLSearchParams(parameters).toString()}`, { headers });
}

/** The ticket in the form of a page. */
export function ticketOf({ text, status }: Answer): string {
  const ticket = /name="ticket" value="([^"]+)"/.exec(text)?.[1];
  if (ticket === undefined) throw new Error(`No ticket on the page: ${status} ${text}`);
  return ticket;
}

/** Posts a form as a browser does. */
export async function sendForm(
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return send(url, {
    body: new URLSearchParams(fields).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      ...headers,
    },
  });
}

/** Opens the page and allows the client with a token; returns the address to which the browser is redirected. */
export async function allow(url: string, asking: Asking, token: string): Promise<URL> {
  const ticket = ticketOf(await openPage(url, asking));
  const answer = await sendForm(
    `${url}/authorize`,
    { ticket, token, action: 'allow' },
    { Origin: new URL(url).origin },
  );
  const location = answer.headers.get('location');
  if (answer.status !== 303 || location === null)
    throw new Error(`Not allowed: ${answer.status} ${answer.text}`);
  return new URL(location);
}

/** The answer of `/token`. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope?: string;
}

/** Exchanges an authorization code for tokens; `more` replaces fields. */
export async function exchange(
  url: string,
  { clientId, redirectUri, verifier }: Asking,
  code: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return sendForm(`${url}/token`, {
    grant_type: 'authorization_code',
    code,
    client_id: clientId,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    resource: `${url}/mcp`,
    ...more,
  });
}

/** Exchanges a refresh token for new tokens. */
export async function refresh(url: string, clientId: string, token: string): Promise<Answer> {
  return sendForm(`${url}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: clientId });
}

/** The result of a whole sign-in. */
export interface SignedIn extends Tokens {
  readonly clientId: string;
}

/** Signs a user in, from the registration of a client to its tokens. */
export async function signIn(
  url: string,
  token: string,
  { metadata = {}, parameters = {} }: { metadata?: object; parameters?: Record<string, string> } = {},
): Promise<SignedIn> {
  const clientId = String((await register(url, { ...metadata }))['client_id']);
  const asking = askFor(url, clientId, parameters);
  const callback = await allow(url, asking, token);
  const answer = await exchange(url, asking, callback.searchParams.get('code') ?? '');
  if (answer.status !== 200) throw new Error(`No tokens: ${answer.status} ${answer.text}`);
  return { ...(answer.body as Tokens), clientId };
}
