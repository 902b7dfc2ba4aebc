/** The errors of the sign-in endpoints, with the codes of RFC 6749 and its extensions. */

/** The error codes, which clients compare. */
export type OAuthErrorCode =
  | 'access_denied'
  | 'interaction_required'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_target'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type';

/** A refusal that the client is told. Its description holds no double quotes and no backslash (RFC 6749, section 5.2). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  /** Whether the request presented a value that this server has not made, which may be a guess. */
  readonly isGuess: boolean;

  constructor(code: OAuthErrorCode, description: string, { isGuess = false } = {}) {
    super(description);
    this.code = code;
    this.isGuess = isGuess;
  }
}
