/** Why a provider's token is refused, in words that say what to change: most of them are for whoever configures the provider. */
import type { RefusalReason, Verification } from '../verifier.ts';

/** What can be wrong with a token. */
export type Fault = keyof typeof FAULTS;

const FAULTS = {
  malformed: ['unknown', 'The token is neither one of this server nor an access token of its provider.'],
  algorithm: [
    'unfit',
    'The token is signed in a way that is not accepted: use RS, PS or ES with 256, 384 or 512, or EdDSA.',
  ],
  signature: ['unfit', "The token's signature is not one of the provider's keys. Sign in again."],
  issuer: ['unfit', 'The token is of another issuer than OAUTH_ISSUER names.'],
  no_audience: [
    'unfit',
    'The token does not say whom it is for (aud). In Keycloak, add an Audience mapper with the address of this server to a client scope.',
  ],
  audience: [
    'unfit',
    'The token is for another server (aud). Clients must ask for it with this one as resource, and the provider must know it; see OAUTH_AUDIENCE.',
  ],
  not_access: ['unfit', 'The token is no access token: ID tokens and refresh tokens open nothing here.'],
  no_expiry: ['unfit', 'The token has no end (exp), and is refused for that.'],
  no_user: ['unfit', 'The token does not say whose it is: the claim that OAUTH_USER_CLAIM names is missing.'],
  bound: [
    'unfit',
    'The token is bound to a key of its client (cnf), which this server cannot check. Ask the provider for a plain bearer token.',
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
