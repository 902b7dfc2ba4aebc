/** From a request's headers to a grant, or to a refusal in words that say what to change. */
import type { IncomingHttpHeaders } from 'node:http';
import { readCredential } from './credential.ts';
import { digestToken } from './digest.ts';
import { ANONYMOUS } from './user.ts';
import type { Grant, NetworkOf, RefusalReason, TokenVerifier, Verification } from './verifier.ts';

/** Why a request is not let in. */
export interface Refusal {
  readonly reason: 'missing' | 'malformed' | RefusalReason;
  /** One or two sentences for people. No double quotes: it goes into a WWW-Authenticate parameter (RFC 6750, section 3). */
  readonly description: string;
  /** Tells wrong credentials apart, and says nothing else about them; empty when there was none. */
  readonly fingerprint: string;
  /** The grant that the token would give or gave, if known; only for the log. */
  readonly grant?: Grant;
  /** The day since which it is refused, likewise. */
  readonly since?: string;
  /** For `unavailable`: when to try again. */
  readonly retryAfterSeconds?: number;
}

/** The outcome of authenticating a request. */
export type Authentication =
  { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly refusal: Refusal };

/** Authenticates requests by their headers. */
export interface Authenticator {
  readonly enabled: boolean;
  /** Authenticates one request. Returns at once where the verifier does, since a promise would cost every request. */
  authenticate(headers: IncomingHttpHeaders, networkOf?: NetworkOf): Authentication | Promise<Authentication>;
  /** Whether a stream opened with this grant may stay open. */
  isCurrent(grant: Grant): boolean;
  /** Whether the sessions of this user may go on. */
  mayContinue(userId: string): boolean;
}

/** Makes the authenticator of a verifier. Without a verifier, authentication is off and everybody is the same user. */
export function createAuthenticator(verifier: TokenVerifier | undefined): Authenticator {
  if (verifier === undefined) {
    const everybody: Authentication = { ok: true, grant: Object.freeze({ user: ANONYMOUS }) };
    return {
      enabled: false,
      authenticate: () => everybody,
      isCurrent: () => true,
      mayContinue: () => true,
    };
  }
  return {
    enabled: true,
    authenticate(headers, networkOf) {
      const credential = readCredential(headers);
      if (credential.kind === 'none')
        return refuse({ reason: 'missing', description: DESCRIPTIONS.missing, fingerprint: '' });
      if (credential.kind === 'malformed') return refuseMalformed(credential.hint);
      const { token } = credential;
      const verification = verifier.verify(token, headers, networkOf);
      return verification instanceof Promise
        ? verification.then((found) => explain(found, token))
        : explain(verification, token);
    },
    isCurrent: (grant) => verifier.isCurrent(grant),
    mayContinue: (userId) => verifier.hasValidToken(userId),
  };
}

/** The words for every token of a sign-in that has ended, whatever has ended it. */
export const SIGN_IN_ENDED = 'This sign-in has ended. Sign in again.';

const DESCRIPTIONS = {
  missing:
    "No credential was sent. Send the header 'Authorization: Bearer <token>' (or x-api-key, or x-auth-token).",
  unknown: 'The token is unknown to this server. Check that it was copied whole and belongs to this server.',
  expired: 'The token has expired. Ask for a new one and put it into the client configuration.',
  not_yet_valid: 'The token is not valid yet. Use it from its start date on.',
  disabled: 'The token has been disabled. Ask for a new one and put it into the client configuration.',
  revoked: 'The token has been revoked. Ask for a new one and put it into the client configuration.',
  signed_out: SIGN_IN_ENDED,
  unfit: 'The token is not an access token for this server. Sign in again.',
  unavailable:
    'This server cannot check the token at the moment. That says nothing about the token: keep it, and try again soon.',
  other_address: 'The token was made by signing in at another address of this server. Sign in again here.',
} as const satisfies Record<Exclude<Refusal['reason'], 'malformed'>, string>;

/** The placeholders of examples. */
const PLACEHOLDER =
  /^((your|insert|paste|enter|replace|change)[\W_].*|((your|my|the|api|access|auth|bearer)[\W_]*)?(token|key|secret)([\W_]*here)?|changeme|tok_change_me|(mcp_|tok_)?(x{3,}|\.{3}))$/i;

/** The hint for a placeholder that was not replaced. */
const PLACEHOLDER_LEFT =
  'The client configuration still holds the placeholder of an example; put your token in its place.';

/** Makes an authentication of a verification, with words for the user. */
function explain(verification: Verification, token: string): Authentication {
  if (verification.ok) return verification;
  // After the look-up: a real token may look like a placeholder.
  if (verification.reason === 'unknown' && PLACEHOLDER.test(token)) return refuseMalformed(PLACEHOLDER_LEFT);
  const { ok: _not, ...refusal } = verification;
  const fingerprint = digestToken(token).slice(0, FINGERPRINT_CHARS);
  return refuse({ description: DESCRIPTIONS[refusal.reason], ...refusal, fingerprint });
}

/** The length of a fingerprint: enough to tell some dozens of credentials apart, too little for anything else. */
const FINGERPRINT_CHARS = 7;

/** Refuses a credential that cannot be a token. */
function refuseMalformed(hint: string): Authentication {
  const description = hint.replaceAll('"', "'");
  return refuse({ reason: 'malformed', description, fingerprint: description });
}

/** Makes the outcome of a refusal. */
function refuse(refusal: Refusal): Authentication {
  return { ok: false, refusal };
}
