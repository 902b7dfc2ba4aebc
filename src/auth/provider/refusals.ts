/** Why a provider's token is refused, in words that say what to change: most of them are for whoever configures the provider. */
import type { RefusalReason, Verification } from '../verifier.ts';

/** What can be wrong with a token. */
export type Fault = keyof typeof FAULTS;

const FAULTS = {
  malformed: [
    'unknown',
    'The token is neither a token of this server nor an access token of its identity provider. Copy it again, or sign in.',
  ],
  algorithm: [
    'unfit',
    'The token is signed with an algorithm that this server does not accept. The provider must sign with RS, PS or ES and 256, 384 or 512, or with EdDSA.',
  ],
  signature: ['unfit', "None of the provider's keys verifies the signature of the token. Sign in again."],
  issuer: [
    'unfit',
    'The issuer of the token (iss) is not the one that OAUTH_ISSUER names. Sign in at that one, or correct OAUTH_ISSUER.',
  ],
  no_audience: [
    'unfit',
    'The token names no audience (aud). In Keycloak, add an Audience mapper with the address of this server to a client scope.',
  ],
  audience: [
    'unfit',
    'The audience of the token (aud) is not this server. Clients must request it with this server as resource, and the provider must know that resource; see OAUTH_AUDIENCE.',
  ],
  not_access: [
    'unfit',
    'The token is not an access token. Send the access token, not an ID token or a refresh token.',
  ],
  no_expiry: [
    'unfit',
    'The token has no expiry (exp), which this server requires. Configure the provider to set it.',
  ],
  no_user: [
    'unfit',
    'The token does not name its user: the claim that OAUTH_USER_CLAIM names is missing or is no id.',
  ],
  bound: [
    'unfit',
    'The token is bound to a key of its client (cnf), which this server cannot check. Configure the provider to issue plain bearer tokens.',
  ],
  expired: ['expired', 'The token has expired. Sign in again, or let the client refresh it.'],
  not_yet_valid: [
    'not_yet_valid',
    "The token is not valid yet. Compare this server's clock with the provider's.",
  ],
  inactive: ['revoked', 'The provider says that the token is not active. Sign in again.'],
} as const satisfies Record<string, readonly [RefusalReason, string]>;

/** A token that is not accepted. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault, options);
    this.fault = fault;
  }
}

/** The provider cannot be reached, so that a token cannot be verified at the moment. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number, options?: ErrorOptions) {
    super('the identity provider cannot be reached', options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The verification that an error stands for. Throws every other error again. */
export function refusalOf(error: unknown): Extract<Verification, { ok: false }> {
  if (error instanceof ProviderUnreachable)
    return { ok: false, reason: 'unavailable', retryAfterSeconds: error.retryAfterSeconds };
  if (!(error instanceof TokenFault)) throw error;
  const [reason, description] = FAULTS[error.fault];
  return { ok: false, reason, description };
}

/** The sentences of all faults, for the document that lists them. */
export const FAULT_SENTENCES: readonly string[] = Object.values(FAULTS).map(([, sentence]) => sentence);
