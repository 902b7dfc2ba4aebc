/** Finds out how to sign in, and registers a client, as clients do after a 401: each document is where the one before it says. */
import { z } from 'zod';
import { isLoopbackHost } from '../../src/config/network.ts';
import { type Answer, ask, codeOf, requireJson, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** What a client finds out before the sign-in. */
export interface Discovered extends Passed {
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly register: string | undefined;
  readonly revoke: string | undefined;
  /** Whether users sign in at the deployment itself. */
  readonly isHere: boolean;
}

/** A client that has registered. */
export interface Registered extends Passed {
  readonly clientId: string;
}

const RESOURCE = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.string()).min(1),
});
const METADATA = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
  code_challenge_methods_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
});
const CLIENT = z.looseObject({ client_id: z.string() });
/** The redirect URI of the client. Nothing listens there, and nothing is sent there. */
export const CALLBACK = 'http://127.0.0.1:3118/callback';

/** The redirect URI of somebody else, which must be refused. */
export const FOREIGN = 'https://smoke-test.invalid/callback';

const SET_PUBLIC_URL =
  'Set PUBLIC_URL to the address that clients use, exactly: clients compare these addresses as text.';

/** What to do about a proxy that changes Host, by which the server may name its address. */
const PASS_HOST =
  'a proxy replaces the Host header: have the proxy pass on Host, for every path (nginx: proxy_set_header Host $http_host, in each location).';

/**
 * What to do when the server names another address than the deployment's. The server takes the address from `Host` where that is one of
 * its own, otherwise from PUBLIC_URL, and without that it names this machine.
 */
export function adviceOn({ url }: Target, address: string | null): string {
  const named = parseAddress(address ?? '');
  const isLocal = named !== undefined && isLoopbackHost(named.hostname) && !isLoopbackHost(url.hostname);
  return isLocal
    ? `If PUBLIC_URL is set, ${PASS_HOST} Otherwise set PUBLIC_URL to the address that clients use.`
    : `${SET_PUBLIC_URL} If it is set so, ${PASS_HOST}`;
}

/** Follows a 401 to the documents, each of which is where the one before it says. All must be about one address. */
export async function discoverSignIn(target: Target): Promise<Discovered> {
  const here = target.url.href.replace(/\/$/, '');
  const refused = await ask(target, '/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
  const pointer = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1];
  if (pointer === undefined) {
    throw new CheckFailure(
      'The 401 of /mcp does not say where to sign in (resource_metadata).',
      'Signing in is off: set SERVER_SECRET and PUBLIC_URL; the log says "users cannot sign in", and why. Or a proxy removes WWW-Authenticate.',
    );
  }
  const resource = requireJson(await askDocument(target, pointer), [200], RESOURCE);
  if (resource.resource !== `${here}/mcp`)
    throw new CheckFailure(
      `The server's metadata names the resource ${resource.resource}, not ${here}/mcp.`,
      adviceOn(target, resource.resource),
    );
  const [issuer = ''] = resource.authorization_servers;
  if (issuer !== here) {
    const nothing = { authorize: '', token: '', register: undefined, revoke: undefined };
    return {
      detail: `users sign in at ${issuer}, which is not checked`,
      issuer,
      ...nothing,
      isHere: false,
    };
  }
  const { origin, pathname } = new URL(issuer);
  const document = `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
  const metadata = requireJson(await askDocument(target, document), [200], METADATA);
  if (metadata.issuer !== issuer)
    throw new CheckFailure(
      `The document at ${document} names the issuer ${metadata.issuer}.`,
      adviceOn(target, metadata.issuer),
    );
  if (!metadata.code_challenge_methods_supported.includes('S256'))
    throw new CheckFailure(
      'The document does not offer S256.',
      'Another server answers there: clients stop at this.',
    );
  return {
    detail: `at ${issuer}`,
    issuer,
    authorize: metadata.authorization_endpoint,
    token: metadata.token_endpoint,
    register: metadata.registration_endpoint,
    revoke: metadata.revocation_endpoint,
    isHere: true,
  };
}

/** Requests a document that a server under a path has at the root of its host, where another server may answer. */
async function askDocument(target: Target, address: string): Promise<Answer> {
  const answer = await askAt(target, address);
  const path = target.url.pathname.replace(/\/$/, '');
  if (path === '' || answer.status !== 404 || codeOf(answer) !== undefined) return answer;
  throw new CheckFailure(
    `${address} is answered 404 by another server.`,
    `Clients ask there: have the proxy pass /.well-known/oauth-…${path} to this server too, as deploy/nginx-path.conf does.`,
  );
}

/** Checks that a client can register, and that one which would send users to a foreign address cannot. */
export async function registerClient(target: Target, { register }: Discovered): Promise<Registered> {
  if (register === undefined)
    throw new CheckFailure(
      'Clients cannot register themselves (OAUTH_REGISTRATION=false).',
      'This check needs it: leave --sign-in out, or run it before you switch it off.',
    );
  const metadata = { client_name: 'smoke test', token_endpoint_auth_method: 'none' };
  const foreign = await askAt(target, register, { body: { ...metadata, redirect_uris: [FOREIGN] } });
  if (foreign.status !== 400 || codeOf(foreign) !== 'invalid_redirect_uri') throw openRedirect(foreign);
  const answer = await askAt(target, register, { body: { ...metadata, redirect_uris: [CALLBACK] } });
  const { client_id: clientId } = requireJson(answer, [201], CLIENT);
  return {
    detail: 'a client on this machine is registered; one with a foreign redirect_uri is refused',
    clientId,
  };
}

/** Sends a request to an address that the server has named, which must have the deployment's origin. */
export async function askAt(
  target: Target,
  address: string,
  request?: Parameters<typeof ask>[2],
): Promise<Answer> {
  const url = parseAddress(address);
  if (url?.origin !== target.url.origin)
    throw new CheckFailure(
      `The server sends clients to ${url?.origin ?? 'no address'}.`,
      adviceOn(target, address),
    );
  return ask({ ...target, url: new URL('/', url) }, `${url.pathname}${url.search}`, request);
}

/** Parses an address that the server has named; undefined when it is no URL. */
function parseAddress(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The failure of a server that would send a code to a foreign address. */
export function openRedirect({ status }: Answer): CheckFailure {
  return new CheckFailure(
    `OPEN: a redirect_uri of somebody else is accepted (status ${status}).`,
    'Remove it from OAUTH_REDIRECT_URIS, if it is there. Otherwise another server answers: anybody who lures a user there can act as that user.',
  );
}
