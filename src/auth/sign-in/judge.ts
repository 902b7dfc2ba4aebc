/** Whether what came of a sign-in counts: its own age, its sign-in, and above all the entry of the token that was pasted. */
import type { KnownToken, RefusalReason, TokenVerifier } from '../verifier.ts';
import type { Families } from './families.ts';
import type { SignInClaims } from './sealed-values.ts';

/** What values are judged by. */
export interface JudgeParts {
  readonly lookUp: NonNullable<TokenVerifier['lookUp']>;
  readonly families: Families;
  readonly now: () => number;
}

/** A verdict: the entry, as it is at this moment, or why the value does not count. */
export type Verdict =
  { readonly ok: true; readonly entry: KnownToken } | { readonly ok: false; readonly reason: RefusalReason };

/** Judges values. */
export type Judge = (claims: SignInClaims) => Verdict;

/** Makes the judge. It asks for the entry each time: removed, disabled, expired, signed out, whatever the file says counts at once. */
export function createJudge({ lookUp, families, now }: JudgeParts): Judge {
  return (claims) => {
    const entry = lookUp(claims.digest);
    if (entry === undefined || entry === 'unavailable') return { ok: false, reason: entry ?? 'unknown' };
    if (entry.refusal !== undefined) return { ok: false, reason: entry.refusal };
    const isVoid = entry.signInsSinceMs !== undefined && claims.issuedAtMs < entry.signInsSinceMs;
    if (isVoid || claims.expiresAtMs <= now() || families.hasEnded(claims.family))
      return { ok: false, reason: 'signed_out' };
    return { ok: true, entry };
  };
}
