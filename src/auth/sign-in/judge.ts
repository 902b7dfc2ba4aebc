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

/** Why a value does not count, and whose it was for the log. */
type Refused = Extract<Verification, { readonly ok: false }>;

/** A verdict: the entry, as it is at this moment, or why the value does not count, be that the sign-in's doing or the entry's. */
export type Verdict =
  | { readonly ok: true; readonly entry: KnownToken }
  | { readonly ok: false; readonly by: 'sign-in' | 'entry'; readonly refused: Refused };

/** Judges values. */
export type Judge = (claims: SignInClaims) => Verdict;

/** Makes the judge. It asks for the entry each time: removed, disabled, expired, signed out, whatever the file says counts at once. */
export function createJudge({ lookUp, families, now }: JudgeParts): Judge {
  return (claims) => {
    const entry = lookUp(claims.digest);
    // It was there when the value was made.
    if (entry === undefined || entry === 'unavailable')
      return refuse('entry', { reason: entry ?? 'revoked' });
    const { grant, refusal, since } = entry;
    if (refusal !== undefined)
      return refuse('entry', { reason: refusal, grant, ...(since !== undefined && { since }) });
    const isVoid = entry.signInsSinceMs !== undefined && claims.issuedAtMs < entry.signInsSinceMs;
    if (isVoid || families.hasEnded(claims.family)) return refuse('sign-in', { reason: 'signed_out', grant });
    if (claims.expiresAtMs <= now())
      return refuse('sign-in', { reason: 'expired', description: SIGN_IN_ENDED, grant });
    return { ok: true, entry };
  };
}

/** The verdict on what does not count. */
function refuse(by: 'sign-in' | 'entry', why: Omit<Refused, 'ok'>): Verdict {
  return { ok: false, by, refused: { ok: false, ...why } };
}
