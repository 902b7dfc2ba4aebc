/** Judges the values of a sign-in: by their own expiry, by the sign-in, and above all by the entry of the token that was pasted. */
import { SIGN_IN_ENDED } from '../authenticate.ts';
import type { KnownToken, TokenVerifier, Verification } from '../verifier.ts';
import type { Families } from './families.ts';
import type { SignInClaims } from './sealed-values.ts';

/** What the judge is made from. */
export interface JudgeParts {
  readonly lookUp: NonNullable<TokenVerifier['lookUp']>;
  readonly families: Families;
  readonly now: () => number;
}

/** The refusal of a value, with the grant for the log. */
type Refused = Extract<Verification, { readonly ok: false }>;

/** The verdict: the entry as it is at this moment, or a refusal, which comes from the sign-in or from the entry. */
export type Verdict =
  | { readonly ok: true; readonly entry: KnownToken }
  | { readonly ok: false; readonly by: 'sign-in' | 'entry'; readonly refused: Refused };

/** Judges a value by its claims. */
export type Judge = (claims: SignInClaims) => Verdict;

/** Makes the judge. It looks the entry up each time, so that every change takes effect at once: removed, disabled, expired, signed out. */
export function createJudge({ lookUp, families, now }: JudgeParts): Judge {
  return (claims) => {
    const entry = lookUp(claims.digest);
    // An entry that is not there has been removed: it was there when the value was made.
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

/** Makes the verdict on a value that is refused. */
function refuse(by: 'sign-in' | 'entry', why: Omit<Refused, 'ok'>): Verdict {
  return { ok: false, by, refused: { ok: false, ...why } };
}
