/** Verifies the access tokens of an identity provider: each is read once, and the result is kept while it is valid, in bounded memory. */
import { BoundedMap } from '../../bounded-map.ts';
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
import { beginsLikeJwt, type JwtReader, looksLikeJwt } from './jwt.ts';
import { refusalOf, TokenFault } from './refusals.ts';

/** What the verification is made from. */
export interface ProviderTokenParts {
  readonly rules: ClaimRules;
  /** Reads JWTs. */
  readonly jwts: JwtReader;
  /** Asks the provider about opaque tokens (RFC 7662); absent: only JWTs are accepted. */
  readonly introspect: Introspect | undefined;
  readonly now: () => number;
}

/** The tokens of the provider. */
export interface ProviderTokens {
  /** Whether a text has the form of the provider's tokens. */
  hasForm(token: string): boolean;
  /** The verification of a JWT that has been read before; undefined for any other. */
  recall(token: string, accepted: ReadonlySet<string>): Verification | undefined;
  /** Verifies a token, at once if it has been read before. `accepted` holds the audiences that tokens may have. */
  verify(
    token: string,
    accepted: ReadonlySet<string>,
    networkOf: NetworkOf,
  ): Verification | Promise<Verification>;
  /** Whether the grant of a token is still valid; undefined for grants of other tokens. */
  isCurrent(grant: Grant): boolean | undefined;
  /**
   * Whether the user is one of the provider's, whether or not a token of theirs is known here: tokens live some minutes, clients renew them,
   * and the next one may reach another process.
   */
  isUser(userId: string): boolean;
}

/** A token that has been read. */
interface Known {
  readonly read: ReadToken;
  readonly digest: string;
  grant: ProviderGrant;
  /** The version of the provider's keys with which it was verified; undefined for an opaque token. */
  readonly version: unknown;
  /** The audiences against which it was last checked. */
  accepted?: ReadonlySet<string>;
  /** When it is to be read again: the provider may have ended it, or withdrawn its key. */
  readonly again: { readonly token: string; readonly atMs: number };
  /** Whether it was found since that it is not valid any more. */
  hasEnded: boolean;
}

/** The prefix of the key of a provider's grant. */
const KEY_PREFIX = 'provider ';

/** The grant of a token of the provider. */
class ProviderGrant implements Grant {
  readonly user: UserContext;
  readonly tokenId: string;
  readonly #digest: string;
  /** When it ends. Milliseconds since the epoch. */
  readonly #untilMs: number;

  constructor(user: UserContext, digest: string, untilMs: number) {
    this.user = user;
    this.tokenId = tokenIdOf(digest);
    this.#digest = digest;
    this.#untilMs = untilMs;
    Object.freeze(this);
  }

  /** Tells other processes when the grant ends: they cannot find out anything else about it. */
  get key(): string {
    return `${KEY_PREFIX}${this.#untilMs} ${this.#digest}`;
  }
}

/** How many tokens are remembered. */
const MAX_KNOWN = 10_000;

/** How long the answer of introspection is used. Milliseconds. */
const INTROSPECTED_MS = 30_000;

/** How long the verification of a JWT is used. The keys are that much older at most when they are fetched again. Milliseconds. */
const VERIFIED_MS = 60_000;

/** Makes the verification of a provider's tokens. */
export function createProviderTokens({ rules, jwts, introspect, now }: ProviderTokenParts): ProviderTokens {
  const known = new BoundedMap<string, Known>(MAX_KNOWN);
  const inactive = new BoundedMap<string, number>(MAX_KNOWN);
  const reading = new Map<string, Promise<Known>>();

  /** Reads a token, and remembers the result. */
  const readAnew = async (token: string, digest: string, networkOf: NetworkOf): Promise<Known> => {
    const isJwt = looksLikeJwt(token);
    const read = isJwt
      ? readJwtClaims(await jwts.read(token), rules)
      : readIntrospected(await askAbout(token, digest, networkOf), rules);
    return remember(token, digest, { read, isJwt });
  };
  /** The same, once for all who wait for it. */
  const readOnce = (token: string, digest: string, networkOf: NetworkOf): Promise<Known> => {
    let underWay = reading.get(digest);
    if (underWay === undefined) {
      underWay = readAnew(token, digest, networkOf).finally(() => reading.delete(digest));
      reading.set(digest, underWay);
    }
    return underWay;
  };
  /** Remembers a token that has been read. */
  const remember = (
    token: string,
    digest: string,
    { read, isJwt }: { readonly read: ReadToken; readonly isJwt: boolean },
  ): Known => {
    const again = { token, atMs: now() + (isJwt ? VERIFIED_MS : INTROSPECTED_MS) };
    const grant = new ProviderGrant(read.user, digest, read.expiresAtMs);
    const version = isJwt ? jwts.version : undefined;
    const entry: Known = { read, digest, grant, version, again, hasEnded: false };
    known.set(digest, entry);
    return entry;
  };
  /** Asks the provider about an opaque token; that it is not active is remembered for a while. */
  const askAbout = async (token: string, digest: string, networkOf: NetworkOf): Promise<Claims> => {
    if (introspect === undefined) throw new TokenFault('malformed');
    const untilMs = inactive.get(digest);
    if (untilMs !== undefined && untilMs > now()) throw new TokenFault('inactive');
    const claims = await introspect(token, isGood(digest) ? 'known' : { network: networkOf() });
    if (claims['active'] !== true) end(digest);
    return claims;
  };
  /** Whether the provider's latest answer about a token was that it is active. */
  const isGood = (digest: string): boolean => known.get(digest)?.hasEnded === false;
  /** Notes that the provider has said that a token is not active. */
  const end = (digest: string): void => {
    inactive.set(digest, now() + INTROSPECTED_MS);
    const entry = known.get(digest);
    if (entry !== undefined) entry.hasEnded = true;
  };
  /** Reads a token again in the background, while it is used on. Requests use the result as well: its scopes may be others. */
  const readAgain = async (entry: Known): Promise<void> => {
    try {
      await readOnce(entry.again.token, entry.digest, () => '');
    } catch (error) {
      // If the provider cannot be asked, what is known is used on, until the token expires.
      if (error instanceof TokenFault) entry.hasEnded = true;
    }
  };
  /** Whether what is known of a token may still be used: it is not too old, and a JWT was verified by the keys that are known. */
  const isFresh = ({ again, version }: Known): boolean =>
    again.atMs > now() && (version === undefined || version === jwts.version);
  /** The token of a digest, if what is known of it may still be used. */
  const recall = (digest: string): Known | undefined => {
    const entry = known.get(digest);
    return entry !== undefined && !entry.hasEnded && isFresh(entry) ? entry : undefined;
  };
  /** Checks a token that has been read: its times and its audience. */
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
    // Accepted only because clocks may differ: the grant gets that time as well, or what it opens would end at once.
    if (now() >= read.expiresAtMs)
      entry.grant = new ProviderGrant(read.user, digest, read.expiresAtMs + SKEW_MS);
    return { ok: true, grant: entry.grant };
  };
  return {
    hasForm: (token) => introspect !== undefined || looksLikeJwt(token),
    recall(token, accepted) {
      if (!beginsLikeJwt(token)) return undefined;
      const entry = recall(digestToken(token));
      return entry && judge(entry, accepted);
    },
    verify(token, accepted, networkOf) {
      const digest = digestToken(token);
      const entry = recall(digest);
      if (entry !== undefined) return judge(entry, accepted);
      return readOnce(token, digest, networkOf).then((read) => judge(read, accepted), refusalOf);
    },
    isCurrent({ key = '' }) {
      if (!key.startsWith(KEY_PREFIX)) return undefined;
      const [untilMs = '', digest = ''] = key.slice(KEY_PREFIX.length).split(' ');
      const entry = known.get(digest);
      if (entry?.hasEnded === true) return false;
      if (entry !== undefined && !isFresh(entry)) void readAgain(entry);
      return now() < Number(untilMs);
    },
    isUser: (userId) => userId.startsWith(userPrefixOf(rules)),
  };
}
