/** Verifies the access tokens of sign-ins, behind the same port as the tokens of the file. Each request looks up the entry that they come from. */
import type { IncomingHttpHeaders } from 'node:http';
import { BoundedMap } from '../../bounded-map.ts';
import { digestToken, tokenIdOf } from '../digest.ts';
import type { UserContext } from '../user.ts';
import type { Grant, KnownToken, TokenVerifier, Verification } from '../verifier.ts';
import type { Judge } from './judge.ts';
import { narrowUser } from './scopes.ts';
import { ACCESS_PREFIX, type AccessClaims, type SealedValues } from './sealed-values.ts';

/** What the verifier is made from. */
export interface DerivedTokenParts {
  readonly tokens: TokenVerifier;
  readonly values: SealedValues;
  readonly judge: Judge;
  /** The issuer that a request was sent to: one of the addresses of this server. */
  readonly issuerOf: (headers: IncomingHttpHeaders) => string;
  /** Whether users are asked to sign in again for scopes that their sign-in left out. */
  readonly canStepUp?: boolean;
}

/** The grant of a derived token: that of its entry, with no more scopes than were asked for. Logs name it by the id of the entry's token. */
class DerivedGrant implements Grant {
  readonly user: UserContext;
  readonly tokenId: string;
  readonly limit?: number;
  readonly isOfSignIn = true;
  readonly #claims: AccessClaims;

  constructor(claims: AccessClaims, { grant }: KnownToken, canStepUp: boolean) {
    this.user = narrowUser(grant.user, claims.scopes, { canStepUp });
    this.tokenId = grant.tokenId ?? tokenIdOf(claims.digest);
    if (grant.limit !== undefined) this.limit = grant.limit;
    this.#claims = claims;
    Object.freeze(this);
  }

  /** The claims, for other processes of this server. This is a getter, so that nothing that serializes or copies a grant shows them. */
  get key(): string {
    return KEY_PREFIX + JSON.stringify(this.#claims);
  }

  /** The claims of a derived token's grant, of this process or another; undefined for any other grant. */
  static claimsOf(grant: Grant): AccessClaims | undefined {
    if (grant instanceof DerivedGrant) return grant.#claims;
    if (grant.key?.startsWith(KEY_PREFIX) !== true) return undefined;
    // oxlint-disable-next-line no-unsafe-type-assertion -- a verifier alone makes keys, and processes seal what they tell each other
    return JSON.parse(grant.key.slice(KEY_PREFIX.length)) as AccessClaims;
  }
}

/** The prefix of the key of a derived token's grant. The key of a token of the file is a digest, which cannot begin so. */
const KEY_PREFIX = 'derived ';

/** A token that has been opened: its claims, and its latest grant. */
interface Opened {
  readonly claims: AccessClaims;
  /** The user that the grant was made from. Another version of the file has another object for it. */
  from?: UserContext;
  grant?: DerivedGrant;
}

/** How many tokens are remembered. Opening one again costs some microseconds. */
const MAX_OPENED = 4_096;

/** Adds derived tokens to a verifier. Any other token only costs a look at its prefix. */
export function withDerivedTokens(parts: DerivedTokenParts): TokenVerifier {
  const { tokens, values, judge, issuerOf, canStepUp = true } = parts;
  const opened = new BoundedMap<string, Opened>(MAX_OPENED);
  const open = (token: string): Opened | undefined => {
    const key = digestToken(token);
    const known = opened.get(key);
    if (known !== undefined) return known;
    const claims = values.open('access', token);
    if (claims === undefined) return undefined;
    const fresh = { claims };
    opened.set(key, fresh);
    return fresh;
  };
  return {
    verify(token, headers, networkOf): Verification | Promise<Verification> {
      if (!token.startsWith(ACCESS_PREFIX)) return tokens.verify(token, headers, networkOf);
      const found = open(token);
      // By chance, one in some hundred thousand random tokens has the prefix of derived ones.
      if (found === undefined) return tokens.verify(token, headers, networkOf);
      const verdict = judge(found.claims);
      if (!verdict.ok) return verdict.refused;
      const { entry } = verdict;
      if (found.claims.issuer !== issuerOf(headers ?? {}))
        return { ok: false, reason: 'other_address', grant: entry.grant };
      return { ok: true, grant: grantOf(found, entry, canStepUp) };
    },
    isCurrent(grant) {
      const claims = DerivedGrant.claimsOf(grant);
      if (claims === undefined) return tokens.isCurrent(grant);
      const verdict = judge(claims);
      // If the entry belongs to another user by now, its grant is another one.
      return verdict.ok && verdict.entry.grant.user.userId === grant.user.userId;
    },
    hasValidToken: (userId) => tokens.hasValidToken(userId),
    onRightsChange: (listener) => tokens.onRightsChange?.(listener),
  };
}

/** The grant of a token: the same object while the entry's user is the same, so that code that compares or counts grants finds few. */
function grantOf(opened: Opened, entry: KnownToken, canStepUp: boolean): DerivedGrant {
  if (opened.grant === undefined || opened.from !== entry.grant.user) {
    opened.from = entry.grant.user;
    opened.grant = new DerivedGrant(opened.claims, entry, canStepUp);
  }
  return opened.grant;
}
