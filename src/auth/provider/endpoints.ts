/** Finds the endpoints of the provider that are not configured, in its metadata document (RFC 8414, or OpenID Connect Discovery). */
import { isIP } from 'node:net';
import { type Ask, isRecord } from './ask.ts';

/** What is used of the document. */
export interface Endpoints {
  readonly jwksUrl: string | undefined;
  readonly introspectionUrl: string | undefined;
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

/** Fetches the document. Rejects when no URL has one of this issuer. */
export async function discoverEndpoints(issuer: string, ask: Ask): Promise<Endpoints> {
  const problems: string[] = [];
  for (const url of documentUrls(issuer)) {
    try {
      const { status, body } = await ask(url);
      if (status !== 200 || !isRecord(body)) problems.push(`${url}: status ${status}`);
      else if (body['issuer'] !== issuer) problems.push(`${url}: its issuer is not exactly OAUTH_ISSUER`);
      else
        return {
          jwksUrl: addressOf(body['jwks_uri']),
          introspectionUrl: addressOf(body['introspection_endpoint']),
        };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      problems.push(`${url}: ${cause instanceof Error ? cause.message : 'unknown error'}`);
    }
  }
  throw new Error(problems.join('; '));
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
