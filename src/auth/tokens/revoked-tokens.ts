/** Remembers for a while which tokens have been taken out of the token file, so that whoever still sends one hears why it is refused. */
import type { Grant, KnownToken, Verification } from '../verifier.ts';
import { BoundedMap } from '../bounded-map.ts';
import { digestToken } from '../digest.ts';
import { createTokenGrant, type TokenEntry } from './token-set.ts';

/** So many are remembered; beyond that the one that was taken out first is forgotten. */
const MAX_REVOKED = 10_000;

/** What is said of one of them. */
interface Revocation {
  readonly ok: false;
  readonly reason: 'revoked';
  readonly grant: Grant;
  readonly since: string;
}

/** The tokens that have been taken out since the start. Their digests, ids, users and days; never a token. */
export class RevokedTokens {
  readonly #refusals = new BoundedMap<string, Revocation>(MAX_REVOKED);

  /** Notes entries that are in force no more, from a time on. Milliseconds since the epoch. */
  note(entries: readonly TokenEntry[], fromMs: number): void {
    const day = new Date(fromMs).toISOString().slice(0, 10);
    for (const entry of entries.slice(-MAX_REVOKED)) {
      this.#refusals.set(entry.digest, {
        ok: false,
        reason: 'revoked',
        grant: createTokenGrant(entry),
        since: day,
      });
    }
  }

  /** What is known of the token with a digest, where it was taken out. */
  lookUp(digest: string): KnownToken | undefined {
    const found = this.#refusals.get(digest);
    return found && { grant: found.grant, refusal: found.reason, since: found.since };
  }

  /** What is to be said of a token that is unknown; that it was revoked, where it was. */
  explain(token: string, otherwise: Verification): Verification {
    if (this.#refusals.size === 0) return otherwise;
    return this.#refusals.get(digestToken(token)) ?? otherwise;
  }
}
