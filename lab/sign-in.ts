/** Signs in at a server of ours as a client and its user do: registers, answers the page with a token, exchanges the code. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';

/** A client of the user's own machine, on whatever port. */
const CALLBACK = 'http://127.0.0.1/callback';

/** What came of a sign-in. */
export interface SignedIn {
  readonly clientId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Where the server is named otherwise than it is reached. */
interface Naming {
  /** What stands in the header Host. */
  readonly host?: string;
}

const CLIENT = z.looseObject({ client_id: z.string() });
const TOKENS = z.looseObject({ access_token: z.string(), refresh_token: z.string() });

/** Signs in with a token, at the address that is to be used from then on: what comes of it is good there alone. */
export async function signIn(url: string, token: string, naming: Naming = {}): Promise<SignedIn> {
  const clientId = await registerClient(url, naming);
  const verifier = randomBytes(32).toString('base64url');
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const callback = await allowOnPage(`${url}/authorize?${asked.toString()}`, token, naming);
  const { text } = await send(`${url}/token`, naming, {
    grant_type: 'authorization_code',
    code: new URL(callback).searchParams.get('code') ?? '',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });
  const tokens = TOKENS.parse(JSON.parse(text));
  return { clientId, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

/** Registers a client that listens on this machine; returns its id. */
export async function registerClient(url: string, naming: Naming = {}): Promise<string> {
  const metadata = { client_name: 'lab', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
  const { text } = await send(`${url}/register`, naming, JSON.stringify(metadata));
  return CLIENT.parse(JSON.parse(text)).client_id;
}

/** Opens the page that a client sends its user to, and allows it with a token; returns where that leads. */
export async function allowOnPage(address: string, token: string, naming: Naming = {}): Promise<string> {
  const page = await send(address, naming);
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const { origin, pathname } = new URL(address);
  const { status, location } = await send(origin + pathname, naming, { ticket, token, action: 'allow' });
  if (status !== 303 || location === undefined) throw new Error(`The sign-in page answered ${status}.`);
  return location;
}

/** What of an answer matters here. */
interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly text: string;
}

/** Sends a request: a text as JSON, fields as a form, nothing as GET. Not by fetch, which names the host itself. */
async function send(
  url: string,
  { host }: Naming,
  body?: string | Readonly<Record<string, string>>,
): Promise<Answer> {
  const isForm = typeof body === 'object';
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const asking = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Accept: 'text/html',
      ...(host !== undefined && { Host: host }),
      ...(body !== undefined && { 'Content-Type': type }),
    },
  });
  asking.end(isForm ? new URLSearchParams(body).toString() : body);
  // oxlint-disable-next-line no-unsafe-type-assertion -- this is what a request's `response` brings
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const { statusCode: status, headers } = response;
  return { status, location: headers.location, text: await readText(response) };
}
