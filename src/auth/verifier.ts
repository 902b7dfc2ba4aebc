/** The port between a credential and a user. A fork that trusts another issuer writes another verifier. */
import type { IncomingHttpHeaders } from 'node:http';
import type { UserContext } from './user.ts';

/** A credential that was accepted: what the server keeps of it while a request or a stream lives. */
export interface Grant {
  readonly user: UserContext;
  /** Names the token in logs: the first 8 hex digits of its SHA-256 digest. Absent while authentication is off. */
  readonly tokenId?: string;
  /** How many tool calls a minute its user may make, if that is not the server's default; 0: no limit. */
  readonly limit?: number;
  /** Whether the token was issued by a sign-in, to a client of the user: some routes accept only the user's own token. */
  readonly isOfSignIn?: boolean;
  /**
   * Identifies the token to its verifier, and to nobody else. It could help somebody who reads a log to guess, so keep it where neither JSON
   * nor a copy shows it: in a getter of a class.
   */
  readonly key?: string;
}

/**
 * Why a token is refused. `signed_out`, `other_address`: the sign-in that issued it has ended, or was at another address of the server.
 * `unfit`: it is not an access token, or is for another server. `unavailable`: it cannot be verified at the moment.
 */
export type RefusalReason =
  | 'unknown'
  | 'expired'
  | 'not_yet_valid'
  | 'disabled'
  | 'revoked'
  | 'signed_out'
  | 'other_address'
  | 'unfit'
  | 'unavailable';

/** The outcome of verifying a token. */
export type Verification =
  | { readonly ok: true; readonly grant: Grant }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
      /** What the user is told instead of the usual words. No double quotes. */
      readonly description?: string;
      /** For `unavailable`: when to try again. */
      readonly retryAfterSeconds?: number;
      /** The grant that the token would give or gave, if known; only for the log. */
      readonly grant?: Grant;
      /** The day since which it is refused, likewise. */
      readonly since?: string;
    };

/** A user whose scopes changed while the token stayed. */
export interface RightsChange {
  readonly before: UserContext;
  readonly after: UserContext;
}

/** What is known of a token by its digest, at this moment. */
export interface KnownToken {
  readonly grant: Grant;
  /** Why the token itself would be refused; undefined when it would not. */
  readonly refusal: RefusalReason | undefined;
  /** The day since which it is refused, for a token that was removed. */
  readonly since?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs?: number | undefined;
  /** Sign-ins with the token before this moment are void. Milliseconds since the epoch. */
  readonly signInsSinceMs?: number | undefined;
}

/** Finds the network that a request comes from, which counts as one address. */
export type NetworkOf = () => string;

/** Verifies tokens. */
export interface TokenVerifier {
  /**
   * Verifies a token. Never throws for anything that a client can send. The headers are those of the request, for verifiers that care for the
   * address it was sent to; `networkOf` tells where it came from, for verifiers that must limit costly look-ups.
   */
  verify(
    token: string,
    headers?: IncomingHttpHeaders,
    networkOf?: NetworkOf,
  ): Verification | Promise<Verification>;
  /** Whether a grant that was given earlier would still be given; called every second for the grants of open streams. */
  isCurrent(grant: Grant): boolean;
  /**
   * Whether a token of the user is valid now, or can be renewed by its issuer; if not, the user's sessions end. A token that expires and is
   * renewed ends its own streams and calls (`isCurrent`), but no session.
   */
  hasValidToken(userId: string): boolean;
  /** How many tokens it knows, where it can tell. */
  countTokens?(): number;
  /** Calls `listener` whenever users' scopes have changed, for verifiers that notice: clients are told then. */
  onRightsChange?(listener: (changes: readonly RightsChange[]) => void): void;
  /** Whether it has loaded the tokens; a verifier without this method always has. */
  isReady?(): boolean;
  /** Whether it learns of changes at the moment, for verifiers whose store can be out of reach. */
  isFollowing?(): boolean;
  /**
   * Looks up the token with a digest ({@link digestToken}): users can sign in with the tokens of a verifier that has this. `unavailable`
   * where nobody can tell at this moment whether there is such a token; undefined where there is none.
   */
  lookUp?(digest: string): KnownToken | 'unavailable' | undefined;
}
