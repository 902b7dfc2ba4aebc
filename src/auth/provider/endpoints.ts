/** Finds the endpoints of the provider that are not configured, in its metadata documents (RFC 8414, OpenID Connect Discovery). */
import { isIP } from 'node:net';
import { type Ask, type AskAnswer, isRecord } from './ask.ts';

/** The endpoints that are used, as a document names them. */
export type EndpointName = 'jwks_uri' | 'introspection_endpoint';

/** An endpoint to be found, and the issuer whose it is. */
export interface EndpointSearch {
  readonly issuer: string;
  readonly name: EndpointName;
  readonly ask: Ask;
}

/** The URLs at which an issuer's document may be. Both specifications are in use, and they put the path in different places. */
function documentUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  const all = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`,
    `${origin}/.well-known/openid-configuration${path}`,
  ];
  return [...new Set(all)];
}

/**
 * Finds an endpoint in the documents of an issuer. All are asked for at once, so that an address that never answers takes no time of the others;
 * of those that name the endpoint, the first in order counts. Rejects when none does.
 */
export async function discoverEndpoint({ issuer, name, ask }: EndpointSearch): Promise<string> {
  const answers = documentUrls(issuer).map(async (url) => {
    try {
      return readEndpoint(await ask(url), issuer, name);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return new Error(`${url}: ${cause instanceof Error ? cause.message : 'unknown error'}`);
    }
  });
  const problems: string[] = [];
  for (const answer of answers) {
    const found = await answer;
    if (!(found instanceof Error)) return found;
    problems.push(found.message);
  }
  throw new Error(problems.join('; '));
}

/** The URL of an endpoint, from the answer to a request for a document. RFC 8414 requires no endpoint that is used here. Throws what is wrong. */
function readEndpoint({ status, body }: AskAnswer, issuer: string, name: EndpointName): string {
  if (status !== 200 || !isRecord(body)) throw new Error(`status ${status}`);
  if (body['issuer'] !== issuer) throw new Error('its issuer is not exactly OAUTH_ISSUER');
  if (body[name] === undefined) throw new Error(`it names no ${name}`);
  const address = addressOf(body[name]);
  if (address === undefined) throw new Error(`its ${name} is no https address`);
  return address;
}

/** A URL of the document, if it may be used: over https, or on this machine. */
function addressOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)) ? value : undefined;
}

/** Whether a host is this machine. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}
