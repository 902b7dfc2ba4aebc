/** What tokens are for: the addresses of this server that clients name as `resource` (RFC 8707). */
import { RESOURCE_PATHS } from '../own-address.ts';
import { OAuthError } from './oauth-error.ts';

/**
 * The resources that a request names, each once: whatever is sent, they are few.
 * @throws {OAuthError} when one is of another server: a token for it is not ours to give
 */
export function requireOwnResources(resources: readonly string[], issuer: string): readonly string[] {
  const own = new Set(['', '/', ...RESOURCE_PATHS, '/messages'].map((path) => issuer + path));
  if (resources.every((resource) => own.has(resource) || own.has(resource.replace(/\/$/, ''))))
    return [...new Set(resources)];
  throw new OAuthError(
    'invalid_target',
    `The resource is not this server: name ${issuer}/mcp, which is what clients connect to.`,
  );
}
