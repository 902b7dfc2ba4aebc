/** From a request's headers to a grant, or to a refusal in words that say what to change. */
import type { IncomingHttpHeaders } from 'node:http';
import { readCredential } from './credential.ts';
import { ANONYMOUS } from './user.ts';
import type { Grant, RefusalReason, TokenVerifier, Verification } from './verifier.ts';

/** Why a request is not let in. */
export interface Refusal {
  readonly reason: 'missing' | 'malformed' | RefusalReason;
  /** One or two sentences for people. No double quotes: it goes into a WWW-Authenticate parameter (RFC 6750, section 3). */
  readonly description: string;
}

/** What became of a request's credential. */
export type Authentication =
  { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly refusal: Refusal };

/** Decides about requests by their headers. */
export interface Authenticator {
  readonly enabled: boolean;
  /** Decides about one request. Answers at once where the verifier does: a promise costs every request. */
  authenticate(headers: IncomingHttpHeaders): Authentication | Promise<Authentication>;
  /** Whether a stream opened with this grant may stay open. */
  isCurrent(grant: Grant): boolean;
  /** Whether the sessions of this user may go on. */
  mayContinue(userId: string): boolean;
}

/** Lets in who has a valid token; without a verifier, authentication is off and everybody is the same user. */
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
    authenticate(headers) {
      const credential = readCredential(headers);
      if (credential.kind === 'none') return refuse('missing', DESCRIPTIONS.missing);
      if (credential.kind === 'malformed') return refuse('malformed', credential.hint.replaceAll('"', "'"));
      const verification = verifier.verify(credential.token);
      return verification instanceof Promise ? verification.then(explain) : explain(verification);
    },
    isCurrent: (grant) => verifier.isCurrent(grant),
    mayContinue: (userId) => verifier.hasValidToken(userId),
  };
}

const DESCRIPTIONS = {
  missing:
    "No credential was sent. Send the header 'Authorization: Bearer <token>' (or x-api-key, or x-auth-token).",
  unknown: 'The token is unknown to this server. Check that it was copied whole and belongs to this server.',
  expired: 'The token has expired. Ask for a new one and put it into the client configuration.',
  not_yet_valid: 'The token is not valid yet. Use it from its start date on.',
  disabled: 'The token has been disabled. Ask for a new one and put it into the client configuration.',
} as const satisfies Record<Exclude<Refusal['reason'], 'malformed'>, string>;

/** A verification in words. */
function explain(verification: Verification): Authentication {
  return verification.ok ? verification : refuse(verification.reason, DESCRIPTIONS[verification.reason]);
}

/** A refusal. */
function refuse(reason: Refusal['reason'], description: string): Authentication {
  return { ok: false, refusal: { reason, description } };
}
