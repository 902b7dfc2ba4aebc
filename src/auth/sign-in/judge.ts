/** Whether what came of a sign-in counts: its own age, its sign-in, and above all the entry of the token that was pasted. */
import { SIGN_IN_ENDED } from '../authenticate.ts';
import type { KnownToken, TokenVerifier, Verification } from '../verifier.ts';
import type { Families } from './families.ts';
import type { SignInClaims } from './sealed-values.ts';

/** What values are judged by. */
export interface JudgeParts {
  readonly lookUp: NonNullable<TokenVerifier['lookUp']>;
  readonly families: Families;
  readonly now: () => number;
}

/** A verdict: the entry, as it is at this moment, or why the value does not count, and whose it was for the log. */
export type Verdict =
  { readonly ok: true; readonly entry: KnownToken } | Extract<Verification, { readonly ok: false }>;

/** Judges values. */
export type Judge = (claims: SignInClaims) => Verdict;

/** Makes the judge. It asks for the entry each time: removed, disabled, expired, signed out, whatever the file says counts at once. */
export function createJudge({ lookUp, families, now }: JudgeParts): Judge {
  return (claims) => {
    const entry = lookUp(claims.digest);
    // It was there when the value was made.
    if (entry === undefined || entry === 'unavailable') return { ok: false, reason: entry ?? 'revoked' };
    const { grant, refusal, since } = entry;
    if (refusal !== undefined)
      return { ok: false, reason: refusal, grant, ...(since !== undefined && { since }) };
    const isVoid = entry.signInsSinceMs !== undefined && claims.issuedAtMs < entry.signInsSinceMs;
    if (isVoid || families.hasEnded(claims.family)) return { ok: false, reason: 'signed_out', grant };
    if (claims.expiresAtMs <= now())
      return { ok: false, reason: 'expired', description: SIGN_IN_ENDED, grant };
    return { ok: true, entry };
  };
}
