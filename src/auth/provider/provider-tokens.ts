/** Verifies a provider's tokens: each is read once and remembered, bounded, as long as that can be true. */
import { BoundedMap } from '../bounded-map.ts';
import { digestToken, tokenIdOf } from '../digest.ts';
import type { UserContext } from '../user.ts';
import type { Grant, NetworkOf, Verification } from '../verifier.ts';
import {
  type ClaimRules,
  type Claims,
  readIntrospected,
  readJwtClaims,
  type ReadToken,
  requireAudience,
  requireInTime,
  SKEW_MS,
  userPrefixOf,
} from './claims.ts';
import type { Introspect } from './introspection.ts';
import { type JwtReader, looksLikeJwt } from './jwt.ts';
import { refusalOf, TokenFault } from './refusals.ts';

/** What tokens are verified with. */
export interface ProviderTokenParts {
  readonly rules: ClaimRules;
  /** Reads JWTs. */
  readonly jwts: JwtReader;
  /** Asks about others; absent where there are none. */
  readonly introspect: Introspect | undefined;
  readonly now: () => number;
}

/** The provider's tokens. */
export interface ProviderTokens {
  /** Whether a text has the form of a token that is verified here. */
  hasForm(token: string): boolean;
  /** Decides about a JWT that is known, so that nothing else need be asked about it. */
  recall(token: string, accepted: ReadonlySet<string>): Verification | undefined;
  /** Decides; `accepted` is for whom tokens may be. At once where the token is known. */
  verify(
    token: string,
    accepted: ReadonlySet<string>,
    networkOf: NetworkOf,
  ): Verification | Promise<Verification>;
  /** Whether a grant of a token counts still; undefined where it is of no provider's token. */
  isCurrent(grant: Grant): boolean | undefined;
  /**
   * Whether the user is one of the provider's, be a token of theirs known here or not: they live some minutes, clients renew them, and
   * the next one may reach another process.
   */
  isUser(userId: string): boolean;
}

/** What is remembered of a token. */
interface Known {
  readonly read: ReadToken;
  readonly digest: string;
  grant: ProviderGrant;
  /** The keys that it was read by. */
  readonly version: unknown;
  /** For whom tokens were accepted when it was last found to be for one of them. */
  accepted?: ReadonlySet<string>;
  /** The token, where it has to be asked about again; and when. */
  readonly asked: { readonly token: string; againAtMs: number; underWay: boolean } | undefined;
  /** Whether the provider has said meanwhile that it is not active. */
  hasEnded: boolean;
}

/** How the key of a provider's grant begins. */
const KEY_PREFIX = 'provider ';

/** The grant of a provider's token. */
class ProviderGrant implements Grant {
  readonly user: UserContext;
  readonly tokenId: string;
  readonly #digest: string;
  /** Until when it counts. Milliseconds since the epoch. */
  readonly #untilMs: number;

  constructor(user: UserContext, digest: string, untilMs: number) {
    this.user = user;
    this.tokenId = tokenIdOf(digest);
    this.#digest = digest;
    this.#untilMs = untilMs;
    Object.freeze(this);
  }

  /** What other processes know it by: until when it counts, which is all that they can tell. */
  get key(): string {
    return `${KEY_PREFIX}${this.#untilMs} ${this.#digest}`;
  }
}

/** So many tokens are remembered. */
const MAX_KNOWN = 10_000;

/** What introspection said counts so long. Milliseconds. */
const INTROSPECTED_MS = 30_000;

/** Makes it. */
export function createProviderTokens({ rules, jwts, introspect, now }: ProviderTokenParts): ProviderTokens {
  const known = new BoundedMap<string, Known>(MAX_KNOWN);
  const inactive = new BoundedMap<string, number>(MAX_KNOWN);
  const reading = new Map<string, Promise<Known>>();

  /** Reads a token anew, and remembers what it says. */
  const readAnew = async (token: string, digest: string, networkOf: NetworkOf): Promise<Known> => {
    const isJwt = looksLikeJwt(token);
    const read = isJwt
      ? readJwtClaims(await jwts.read(token), rules)
      : readIntrospected(await askAbout(token, digest, networkOf), rules);
    const asked = isJwt ? undefined : { token, againAtMs: now() + INTROSPECTED_MS, underWay: false };
    const grant = new ProviderGrant(read.user, digest, read.expiresAtMs);
    const entry: Known = { read, digest, grant, version: jwts.version, asked, hasEnded: false };
    known.set(digest, entry);
    return entry;
  };
  /** Asks about an opaque token; that it is not active is remembered a while. */
  const askAbout = async (token: string, digest: string, networkOf: NetworkOf): Promise<Claims> => {
    if (introspect === undefined) throw new TokenFault('malformed');
    const untilMs = inactive.get(digest);
    if (untilMs !== undefined && untilMs > now()) throw new TokenFault('inactive');
    const claims = await introspect(token, isGood(digest) ? 'known' : { network: networkOf() });
    if (claims['active'] !== true) end(digest);
    return claims;
  };
  /** Whether the provider has said of a token that it is active, and nothing else since. */
  const isGood = (digest: string): boolean => known.get(digest)?.hasEnded === false;
  /** Notes that the provider says of a token that it is not active. */
  const end = (digest: string): void => {
    inactive.set(digest, now() + INTROSPECTED_MS);
    const entry = known.get(digest);
    if (entry !== undefined) entry.hasEnded = true;
  };
  /** Asks again, behind the back of whoever uses the token. */
  const askAgain = async (entry: Known, asked: NonNullable<Known['asked']>): Promise<void> => {
    if (introspect === undefined || asked.underWay) return;
    asked.underWay = true;
    try {
      const claims = await introspect(asked.token, 'known');
      asked.againAtMs = now() + INTROSPECTED_MS;
      if (claims['active'] !== true) end(entry.digest);
    } catch {
      // It cannot be asked: what it said last goes on counting, until the token's own end.
    } finally {
      asked.underWay = false;
    }
  };
  /** What is known of a token, if that still counts. */
  const recall = (digest: string): Known | undefined => {
    const entry = known.get(digest);
    if (entry === undefined || entry.hasEnded || entry.version !== jwts.version) return undefined;
    return entry.asked === undefined || entry.asked.againAtMs > now() ? entry : undefined;
  };
  /** Decides about what is known. */
  const judge = (entry: Known, accepted: ReadonlySet<string>): Verification => {
    const { read, digest } = entry;
    try {
      requireInTime(read, now());
      if (entry.accepted !== accepted) {
        requireAudience(read, accepted);
        entry.accepted = accepted;
      }
    } catch (error) {
      return { ...refusalOf(error), grant: entry.grant };
    }
    // Let in by the difference that clocks may have, it counts as long as that: else what it opens would end at once.
    if (now() >= read.expiresAtMs)
      entry.grant = new ProviderGrant(read.user, digest, read.expiresAtMs + SKEW_MS);
    return { ok: true, grant: entry.grant };
  };
  return {
    hasForm: (token) => introspect !== undefined || looksLikeJwt(token),
    recall(token, accepted) {
      if (!token.startsWith('eyJ')) return undefined;
      const entry = recall(digestToken(token));
      return entry && judge(entry, accepted);
    },
    verify(token, accepted, networkOf) {
      const digest = digestToken(token);
      const entry = recall(digest);
      if (entry !== undefined) return judge(entry, accepted);
      let underWay = reading.get(digest);
      if (underWay === undefined) {
        underWay = readAnew(token, digest, networkOf).finally(() => reading.delete(digest));
        reading.set(digest, underWay);
      }
      return underWay.then((read) => judge(read, accepted), refusalOf);
    },
    isCurrent({ key = '' }) {
      if (!key.startsWith(KEY_PREFIX)) return undefined;
      const [untilMs = '', digest = ''] = key.slice(KEY_PREFIX.length).split(' ');
      const entry = known.get(digest);
      if (entry?.hasEnded === true) return false;
      if (entry?.asked !== undefined && entry.asked.againAtMs <= now()) void askAgain(entry, entry.asked);
      return now() < Number(untilMs);
    },
    isUser: (userId) => userId.startsWith(userPrefixOf(rules)),
  };
}
