/** Remembers for a while which tokens have been removed, so that whoever still sends one is told why it is refused. */
import type { Grant, KnownToken, Verification } from '../verifier.ts';
import { BoundedMap } from '../../bounded-map.ts';
import { digestToken } from '../digest.ts';
import { type TokenEntry, TokenGrant } from './token-set.ts';

/** How many are remembered; beyond that, the one that was removed first is forgotten. */
const MAX_REVOKED = 10_000;

/** The refusal of a removed token. */
interface Revocation {
  readonly ok: false;
  readonly reason: 'revoked';
  readonly grant: Grant;
  readonly since: string;
}

/** The tokens that have been removed since the start: their digests, ids, users and days, never a token itself. */
export class RevokedTokens {
  readonly #refusals = new BoundedMap<string, Revocation>(MAX_REVOKED);

  /** Notes that entries were removed at a time. Milliseconds since the epoch. */
  note(entries: readonly TokenEntry[], fromMs: number): void {
    const day = new Date(fromMs).toISOString().slice(0, 10);
    for (const entry of entries.slice(-MAX_REVOKED)) {
      this.#refusals.set(entry.digest, {
        ok: false,
        reason: 'revoked',
        grant: new TokenGrant(entry),
        since: day,
      });
    }
  }

  /** What is known of the removed token with a digest; undefined when none was removed. */
  lookUp(digest: string): KnownToken | undefined {
    const found = this.#refusals.get(digest);
    return found && { grant: found.grant, refusal: found.reason, since: found.since };
  }

  /** The refusal of an unknown token: that it was revoked, if it was; if not, `otherwise`. */
  explain(token: string, otherwise: Verification): Verification {
    if (this.#refusals.size === 0) return otherwise;
    return this.#refusals.get(digestToken(token)) ?? otherwise;
  }
}
