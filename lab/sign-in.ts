/** Signs in at one of our servers as a client and its user do: registers, allows the client on the page, exchanges the code. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';

/** The redirect URI of a client on the user's own machine, on any port. */
const CALLBACK = 'http://127.0.0.1/callback';

/** How requests name the server, if not by the address at which it is reached. */
interface Naming {
  /** The value of the Host header. */
  readonly host?: string;
}

const CLIENT = z.looseObject({ client_id: z.string() });
const TOKENS = z.looseObject({ access_token: z.string() });

/** Signs in with a token, at the address at which the access token that it returns will be used: it is valid only there. */
export async function signIn(url: string, token: string, naming: Naming = {}): Promise<string> {
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
  return TOKENS.parse(JSON.parse(text)).access_token;
}

/** Registers a client whose redirect URI is on this machine; returns its id. */
export async function registerClient(url: string, naming: Naming = {}): Promise<string> {
  const metadata = { client_name: 'lab', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
  const { text } = await send(`${url}/register`, naming, JSON.stringify(metadata));
  return CLIENT.parse(JSON.parse(text)).client_id;
}

/** Opens the sign-in page of an authorization request, and allows it with a token; returns the address of the redirect. */
export async function allowOnPage(address: string, token: string, naming: Naming = {}): Promise<string> {
  const page = await send(address, naming);
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const { origin, pathname } = new URL(address);
  const { status, location } = await send(origin + pathname, naming, { ticket, token, action: 'allow' });
  if (status !== 303 || location === undefined) throw new Error(`The sign-in page answered ${status}.`);
  return location;
}

/** The parts of an answer that are used. */
interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly text: string;
}

/** Sends a request: a string as JSON, fields as a form, nothing as GET. Not with fetch, which sets the Host header itself. */
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
