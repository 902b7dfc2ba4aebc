/** The port between a credential and a user. A fork that trusts another issuer writes another verifier. */
import type { IncomingHttpHeaders } from 'node:http';
import type { UserContext } from './user.ts';

/** A credential that was accepted: what the server keeps of it while a request or a stream lives. */
export interface Grant {
  readonly user: UserContext;
  /** Names the token in logs: the first 8 hex digits of its SHA-256 digest. Absent while authentication is off. */
  readonly tokenId?: string;
  /** So many tool calls a minute, where its user has a number of their own; 0: as many as come. */
  readonly limit?: number;
  /** Whether the token came of a sign-in, so that a client of its user holds it: for those who let in the user's own token alone. */
  readonly isOfSignIn?: boolean;
  /**
   * What its verifier knows the very token by, however many a user has. For the verifier alone: it may be worth a guess to whoever
   * reads a log, so keep it where neither JSON nor a copy shows it, as a getter of a class does.
   */
  readonly key?: string;
}

/**
 * Why a token is refused. `signed_out` and `other_address` are of tokens that came of a sign-in: it has ended, or was made elsewhere;
 * `unfit` is what another server's token is that is not for this one, or no access token. `unavailable`: nobody can tell at this moment.
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

/** What became of a token. */
export type Verification =
  | { readonly ok: true; readonly grant: Grant }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
      /** What its user is told, where the verifier knows better than the usual words. No double quotes. */
      readonly description?: string;
      /** When it is worth asking again, where it is `unavailable`. */
      readonly retryAfterSeconds?: number;
      /** What the token would give or gave, where that is known. For the log alone. */
      readonly grant?: Grant;
      /** The day from which on it is refused, likewise. */
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
  /** The day from which on it is refused, where it was taken out. */
  readonly since?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs?: number | undefined;
  /** What came of signing in with the token before this moment is void. Milliseconds since the epoch. */
  readonly signInsSinceMs?: number | undefined;
}

/** Tells which network a request comes from: what counts as one address. */
export type NetworkOf = () => string;

/** Decides about tokens. */
export interface TokenVerifier {
  /**
   * Looks a token up. Never throws for anything a client can send. The headers are those of the request, for whom it matters where it came
   * to; `networkOf` tells where it came from, for whom looking up is dear.
   */
  verify(
    token: string,
    headers?: IncomingHttpHeaders,
    networkOf?: NetworkOf,
  ): Verification | Promise<Verification>;
  /** Whether a grant given earlier would be given now; asked every second for the grants of open streams. */
  isCurrent(grant: Grant): boolean;
  /**
   * Whether any token of the user is valid now, or whoever gives tokens out renews them: when neither is so, the user's sessions end.
   * A token that has only expired, and another one comes for, takes its streams and calls with it (`isCurrent`), and no session.
   */
  hasValidToken(userId: string): boolean;
  /** How many tokens it knows, where it can tell. */
  countTokens?(): number;
  /** Calls `listener` whenever users' scopes have changed, for verifiers that notice: clients are told then. */
  onRightsChange?(listener: (changes: readonly RightsChange[]) => void): void;
  /** Whether it knows the tokens at all; one that does not say so always does. */
  isReady?(): boolean;
  /** Whether it hears of changes at this moment, where what its tokens are kept in can be lost. */
  isFollowing?(): boolean;
  /**
   * Looks up the token with a digest ({@link digestToken}): users can sign in with the tokens of a verifier that has this. `unavailable`
   * where nobody can tell at this moment whether there is such a token; undefined where there is none.
   */
  lookUp?(digest: string): KnownToken | 'unavailable' | undefined;
}
