/** Reads the claims of a provider's token: its user, scopes, audience and times. */
import { createUserContext, type UserContext } from '../user.ts';
import { isRecord } from './ask.ts';
import { TokenFault } from './refusals.ts';

/** The claims of a token: the payload of a JWT, or the answer of introspection (RFC 7662). */
export type Claims = Readonly<Record<string, unknown>>;

/** The rules by which claims are read. */
export interface ClaimRules {
  readonly issuer: string;
  readonly userClaim: string;
  readonly scopeClaims: readonly string[];
  readonly canStepUp: boolean;
}

/** What the claims of a token say. */
export interface ReadToken {
  readonly user: UserContext;
  /** The audiences of the token (`aud`), as {@link plainAudience} writes them. */
  readonly audience: readonly string[];
  /** Milliseconds since the epoch; Infinity for an introspected token without `exp`. */
  readonly expiresAtMs: number;
  readonly notBeforeMs: number;
}

/** How much the clocks of this server and the provider may differ. Milliseconds. */
export const SKEW_MS = 30_000;

/** The longest id or name of a user, as in the token file. */
const MAX_ID_CHARS = 200;

/** How many scopes of a token are read. Nobody looks for more. */
const MAX_SCOPES = 256;

/** The values of `typ` in Keycloak's tokens of other kinds. Its access tokens have `Bearer`. */
const OTHER_TYPES: ReadonlySet<unknown> = new Set(['ID', 'Refresh', 'Offline', 'Logout']);

/**
 * Reads the claims of a JWT.
 * @throws {TokenFault} when it is no access token of the issuer
 */
export function readJwtClaims(claims: Claims, rules: ClaimRules): ReadToken {
  if (claims['iss'] !== rules.issuer) throw new TokenFault('issuer');
  // Only ID tokens have these two claims, and only tokens of other kinds these values of `typ`.
  if (claims['nonce'] !== undefined || claims['at_hash'] !== undefined || OTHER_TYPES.has(claims['typ']))
    throw new TokenFault('not_access');
  const expiresAtMs = momentOf(claims['exp']);
  if (expiresAtMs === undefined) throw new TokenFault('no_expiry');
  return readClaims(claims, rules, expiresAtMs);
}

/**
 * Reads the answer of introspection.
 * @throws {TokenFault} when the token is not active, or is no access token of the issuer
 */
export function readIntrospected(claims: Claims, rules: ClaimRules): ReadToken {
  if (claims['active'] !== true) throw new TokenFault('inactive');
  const { iss = rules.issuer, token_type: type, token_use: use } = claims;
  if (iss !== rules.issuer) throw new TokenFault('issuer');
  const isOther = [type, use].some((said) => typeof said === 'string' && /^(refresh|id)/i.test(said));
  if (isOther || OTHER_TYPES.has(claims['typ'])) throw new TokenFault('not_access');
  const isEndless = claims['exp'] === undefined;
  const expiresAtMs = isEndless ? Infinity : momentOf(claims['exp']);
  if (expiresAtMs === undefined) throw new TokenFault('no_expiry');
  return readClaims(claims, rules, expiresAtMs);
}

/**
 * Refuses a token that has expired, or is not valid yet.
 * @throws {TokenFault}
 */
export function requireInTime({ expiresAtMs, notBeforeMs }: ReadToken, nowMs: number): void {
  if (expiresAtMs + SKEW_MS <= nowMs) throw new TokenFault('expired');
  if (notBeforeMs - SKEW_MS > nowMs) throw new TokenFault('not_yet_valid');
}

/**
 * Refuses a token that is for none of the accepted audiences.
 * @throws {TokenFault}
 */
export function requireAudience({ audience }: ReadToken, accepted: ReadonlySet<string>): void {
  if (audience.length === 0) throw new TokenFault('no_audience');
  // Clients add a slash to an address without a path, and some add it to every address.
  if (!audience.some((name) => accepted.has(name) || accepted.has(name.replace(/\/$/, ''))))
    throw new TokenFault('audience');
}

/**
 * An audience with the scheme and host of a web address in lower case, as their case means nothing there (RFC 3986, section 6.2.2.1). Other names
 * remain as they are: a provider may tell `api://App` from `api://app`.
 */
export function plainAudience(name: string): string {
  return name.replace(/^https?:\/\/[\w.:[\]-]+(?=[/?]|$)/i, (origin) => origin.toLowerCase());
}

/** The prefix of the ids of the provider's users: a user of the token file, or of another provider, with the same name is another user. */
export function userPrefixOf({ issuer }: Pick<ClaimRules, 'issuer'>): string {
  return `${issuer}#`;
}

/** Reads the claims that JWTs and introspected tokens have in common. */
function readClaims(
  claims: Claims,
  { issuer, userClaim, scopeClaims, canStepUp }: ClaimRules,
  expiresAtMs: number,
): ReadToken {
  // The token is bound to a key, so that a thief could not use it. The key is not checked here, so that such a token is refused.
  if (claims['cnf'] !== undefined) throw new TokenFault('bound');
  const notBeforeMs = claims['nbf'] === undefined ? -Infinity : momentOf(claims['nbf']);
  if (notBeforeMs === undefined) throw new TokenFault('not_yet_valid');
  const subject = idOf(claimAt(claims, userClaim));
  if (subject === undefined) throw new TokenFault('no_user');
  const name = ['name', 'preferred_username', 'username'].map((claim) => idOf(claims[claim])).find(Boolean);
  return {
    user: createUserContext({
      userId: userPrefixOf({ issuer }) + subject,
      subject,
      name: name ?? subject,
      scopes: scopesOf(
        scopeClaims.map((claim) => claimAt(claims, claim)).find((found) => found !== undefined),
      ),
      obtainable: canStepUp ? 'any' : undefined,
      metadata: { issuer },
    }),
    audience: wordsOf(claims['aud']).map(plainAudience),
    expiresAtMs,
    notBeforeMs,
  };
}

/** A claim by its name, or else by a path of names with dots between them. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let found: unknown = claims;
  for (const name of path.split('.'))
    found = isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** A claim that can name somebody, as a text, numbers too; undefined when it is empty or too long, or when a log or a page could not show it in one line. */
function idOf(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_ID_CHARS) return undefined;
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(text) ? undefined : text;
}

/** The scopes of a claim: words in a text, or a list. A token without the claim has none. */
function scopesOf(value: unknown): readonly string[] {
  const words = typeof value === 'string' ? value.split(' ') : wordsOf(value);
  return [...new Set(words.filter((word) => word !== ''))].slice(0, MAX_SCOPES);
}

/** A claim that is a text or a list of texts, as a list. */
function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

/** A time in seconds, as milliseconds; undefined when it is no number. */
function momentOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}
