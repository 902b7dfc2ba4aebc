/** The parsed tokens of a file: each is found by its SHA-256 digest, so that no usable secret stays in memory. */
import { runAtOnce, type Steps } from '../../in-slices.ts';
import { digestToken, tokenIdOf } from '../digest.ts';
import type { UserContext } from '../user.ts';
import type { Weakness } from './weak-tokens.ts';
import type { Grant, KnownToken, TokenVerifier, Verification } from '../verifier.ts';

/** One entry of a token file. */
export interface TokenEntry {
  /** SHA-256 of the token, 64 lower-case hex digits. */
  readonly digest: string;
  readonly user: UserContext;
  /** From this time on the token is refused. Milliseconds since the epoch. */
  readonly expiresAtMs?: number | undefined;
  /** Until this time the token is refused. Milliseconds since the epoch. */
  readonly notBeforeMs?: number | undefined;
  /** Sign-ins with the token before this moment are void. Milliseconds since the epoch. */
  readonly signInsSinceMs?: number | undefined;
  /** How many tool calls a minute its user may make, if that is not the server's default; 0: no limit. */
  readonly limit?: number | undefined;
  readonly disabled: boolean;
  /** Whether the file holds the token itself instead of its digest: whoever reads the file can use it. */
  readonly isPlain?: boolean | undefined;
  /** Why the token is no secret; undefined when nothing is known against it. */
  readonly weakness?: Weakness | undefined;
}

/** An entry with its grant, which is made once. */
interface HeldToken extends TokenEntry {
  readonly grant: Grant;
}

/** The grant of an entry. Its key is the digest, in a getter, so that nothing that serializes or copies a grant shows it: above all, a log. */
export class TokenGrant implements Grant {
  readonly user: UserContext;
  readonly tokenId: string;
  readonly limit?: number;
  readonly #digest: string;

  constructor({ user, digest, limit }: TokenEntry) {
    this.user = user;
    this.tokenId = tokenIdOf(digest);
    if (limit !== undefined) this.limit = limit;
    this.#digest = digest;
    Object.freeze(this);
  }

  get key(): string {
    return this.#digest;
  }
}

/** The tokens of one version of the token file. */
export interface TokenSet extends TokenVerifier {
  verify(token: string): Verification;
  lookUp(digest: string): KnownToken | undefined;
  readonly size: number;
  /** The entries by their digests. */
  readonly entries: ReadonlyMap<string, TokenEntry>;
}

/** Builds the look-up table of entries. */
export function createTokenSet(entries: readonly TokenEntry[], now?: () => number): TokenSet {
  return runAtOnce(createTokenSetInSteps(entries, now));
}

/** As {@link createTokenSet}, but yields after each entry. */
export function* createTokenSetInSteps(
  entries: readonly TokenEntry[],
  now: () => number = Date.now,
): Steps<TokenSet> {
  const tokens = new Map<string, HeldToken>();
  const tokensOfUser = new Map<string, HeldToken[]>();
  for (const entry of entries) {
    const known = { ...entry, grant: new TokenGrant(entry) };
    tokens.set(entry.digest, known);
    const ofUser = tokensOfUser.get(entry.user.userId);
    if (ofUser === undefined) tokensOfUser.set(entry.user.userId, [known]);
    else ofUser.push(known);
    yield;
  }

  return {
    size: tokens.size,
    countTokens: () => tokens.size,
    entries: tokens,
    verify(token) {
      // Hashing first means that the look-up compares digests: how long it takes tells nothing about how much of a
      // guessed token is right, and it takes as long for one entry as for a hundred thousand.
      const known = tokens.get(digestToken(token));
      if (known === undefined) return UNKNOWN;
      const reason = refusalOf(known, now());
      return reason === undefined
        ? { ok: true, grant: known.grant }
        : { ok: false, reason, grant: known.grant };
    },
    lookUp(digest) {
      const known = tokens.get(digest);
      if (known === undefined) return undefined;
      const { grant, expiresAtMs, signInsSinceMs } = known;
      return { grant, refusal: refusalOf(known, now()), expiresAtMs, signInsSinceMs };
    },
    isCurrent({ user, key = '' }) {
      const known = tokens.get(key);
      return known?.user.userId === user.userId && refusalOf(known, now()) === undefined;
    },
    hasValidToken(userId) {
      const nowMs = now();
      return tokensOfUser.get(userId)?.some((known) => refusalOf(known, nowMs) === undefined) ?? false;
    },
  };
}

const UNKNOWN: Verification = { ok: false, reason: 'unknown' };

/** Why the token of an entry is refused at this time; undefined when it is not. */
function refusalOf({ disabled, expiresAtMs, notBeforeMs }: TokenEntry, nowMs: number) {
  if (disabled) return 'disabled';
  if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return 'expired';
  if (notBeforeMs !== undefined && nowMs < notBeforeMs) return 'not_yet_valid';
  return undefined;
}
