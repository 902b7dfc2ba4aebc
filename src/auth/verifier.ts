/** The port between a credential and a user. A fork that trusts another issuer writes another verifier. */
import type { UserContext } from './user.ts';

/** A credential that was accepted: what the server keeps of it while a request or a stream lives. */
export interface Grant {
  readonly user: UserContext;
  /** Names the token in logs: the first 8 hex digits of its SHA-256 digest. Absent while authentication is off. */
  readonly tokenId?: string;
  /**
   * What its verifier knows the very token by, however many a user has. For the verifier alone: it may be worth a guess to whoever
   * reads a log, so keep it where neither JSON nor a copy shows it, as a getter of a class does.
   */
  readonly key?: string;
}

/** Why a token is refused. */
export type RefusalReason = 'unknown' | 'expired' | 'not_yet_valid' | 'disabled' | 'revoked';

/** What became of a token. */
export type Verification =
  | { readonly ok: true; readonly grant: Grant }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
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

/** Decides about tokens. */
export interface TokenVerifier {
  /** Looks a token up. Never throws for anything a client can send. */
  verify(token: string): Verification | Promise<Verification>;
  /** Whether a grant given earlier would be given now; asked every second for the grants of open streams. */
  isCurrent(grant: Grant): boolean;
  /** Whether any token of the user is valid now; when none is, the user's sessions end. */
  hasValidToken(userId: string): boolean;
  /** Calls `listener` whenever users' scopes have changed, for verifiers that notice: clients are told then. */
  onRightsChange?(listener: (changes: readonly RightsChange[]) => void): void;
}
