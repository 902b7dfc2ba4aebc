/** What clients read before they sign in: how to do that here (RFC 8414). */
import { AUTH_METHODS } from './registration.ts';
import { OFFLINE_ACCESS } from './scopes.ts';

/** What the documents tell. */
export interface MetadataFacts {
  /** Origin, and path where the server has one; without a slash at its end. Clients compare it as text. */
  readonly issuer: string;
  /** The scopes that there are. */
  readonly scopes: readonly string[];
  readonly canRegister: boolean;
  /** Whether there are refresh tokens. */
  readonly canRefresh: boolean;
}

/** The document of the authorization server. */
export function describeAuthorizationServer({
  issuer,
  scopes,
  canRegister,
  canRefresh,
}: MetadataFacts): object {
  // Some clients use a refresh token only where they find this word.
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
