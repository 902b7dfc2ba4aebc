/** The metadata of the authorization server, which clients read before they sign in (RFC 8414). */
import { AUTH_METHODS } from './registration.ts';
import { OFFLINE_ACCESS } from './scopes.ts';

/** What the metadata is made from. */
export interface MetadataFacts {
  /** The origin, and the path if the server has one, without a slash at the end. Clients compare it as text. */
  readonly issuer: string;
  /** Every scope that this server knows. */
  readonly scopes: readonly string[];
  readonly canRegister: boolean;
  /** Whether this server issues refresh tokens. */
  readonly canRefresh: boolean;
}

/** Makes the metadata document of the authorization server. */
export function describeAuthorizationServer({
  issuer,
  scopes,
  canRegister,
  canRefresh,
}: MetadataFacts): object {
  // Some clients use a refresh token only if they find this scope here.
  const words = canRefresh ? [...scopes, OFFLINE_ACCESS] : scopes;
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    ...(canRegister && { registration_endpoint: `${issuer}/register` }),
    revocation_endpoint: `${issuer}/revoke`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', ...(canRefresh ? ['refresh_token'] : [])],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    ...(words.length > 0 && { scopes_supported: words }),
    client_id_metadata_document_supported: true,
    authorization_response_iss_parameter_supported: true,
    service_documentation: `${issuer}/`,
  };
}
