/** The resources that tokens are for: the addresses of this server that clients name as `resource` (RFC 8707). */
import { RESOURCE_PATHS } from '../own-address.ts';
import { OAuthError } from './oauth-error.ts';

/**
 * The resources that a request names, normalized and without duplicates: whatever is sent, they are few.
 * @throws {OAuthError} when one is of another server: this one issues no token for it
 */
export function requireOwnResources(resources: readonly string[], issuer: string): readonly string[] {
  const own = new Set(
    ['', '/', ...RESOURCE_PATHS, '/messages'].map((path) => asUsuallyWritten(issuer + path)),
  );
  const named = resources.map(asUsuallyWritten);
  if (named.every((resource) => own.has(resource) || own.has(resource.replace(/\/$/, ''))))
    return [...new Set(named)];
  throw new OAuthError(
    'invalid_target',
    `The resource is not this server. Send the resource ${issuer}/mcp, which clients connect to.`,
  );
}

/** Normalizes an address: scheme and host in lower case, and no default port. Neither changes its meaning (RFC 3986, section 6.2.3). */
function asUsuallyWritten(resource: string): string {
  const [, origin = '', rest = ''] = /^(https?:\/\/[^/?#@\\\s]+)(.*)$/is.exec(resource) ?? [];
  return URL.canParse(origin) ? new URL(origin).origin + rest : resource;
}
