/** What a provider's token says, and who that makes its bearer: whose it is, what it may do, for whom it is, until when. */
import { createUserContext, type UserContext } from '../user.ts';
import { isRecord } from './ask.ts';
import { TokenFault } from './refusals.ts';

/** What a token says: the payload of a JWT, or the answer of introspection. */
export type Claims = Readonly<Record<string, unknown>>;

/** How tokens are read. */
export interface ClaimRules {
  readonly issuer: string;
  readonly userClaim: string;
  readonly scopeClaims: readonly string[];
  readonly canStepUp: boolean;
}

/** What a token comes to. */
export interface ReadToken {
  readonly user: UserContext;
  /** For whom it is. */
  readonly audience: readonly string[];
  /** Milliseconds since the epoch; Infinity where an introspected token does not say. */
  readonly expiresAtMs: number;
  readonly notBeforeMs: number;
}

/** Two clocks may differ by so much. Milliseconds. */
export const SKEW_MS = 30_000;

/** As long as the token file's. */
const MAX_ID_CHARS = 200;

/** More words than these are no scopes that anybody looks for. */
const MAX_SCOPES = 256;

/** What tokens of other kinds say of themselves in Keycloak, where access tokens say `Bearer`. */
const OTHER_TYPES: ReadonlySet<unknown> = new Set(['ID', 'Refresh', 'Offline', 'Logout']);

/**
 * Reads the claims of a JWT.
 * @throws {TokenFault} for what is no access token of the issuer
 */
export function readJwtClaims(claims: Claims, rules: ClaimRules): ReadToken {
  if (claims['iss'] !== rules.issuer) throw new TokenFault('issuer');
  // What only ID tokens have, and what only other kinds say.
  if (claims['nonce'] !== undefined || claims['at_hash'] !== undefined || OTHER_TYPES.has(claims['typ']))
    throw new TokenFault('not_access');
  const expiresAtMs = momentOf(claims['exp']);
  if (expiresAtMs === undefined) throw new TokenFault('no_expiry');
  return readClaims(claims, rules, expiresAtMs);
}

/**
 * Reads what introspection says of an active token.
 * @throws {TokenFault} for what is no access token of the issuer
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
 * Refuses a token whose time is over, or has not come.
 * @throws {TokenFault}
 */
export function requireInTime({ expiresAtMs, notBeforeMs }: ReadToken, nowMs: number): void {
  if (expiresAtMs + SKEW_MS <= nowMs) throw new TokenFault('expired');
  if (notBeforeMs - SKEW_MS > nowMs) throw new TokenFault('not_yet_valid');
}

/**
 * Refuses a token that is for others.
 * @throws {TokenFault}
 */
export function requireAudience({ audience }: ReadToken, accepted: ReadonlySet<string>): void {
  if (audience.length === 0) throw new TokenFault('no_audience');
  // Clients add a slash to an address without a path, and some to every one.
  if (!audience.some((name) => accepted.has(name) || accepted.has(name.replace(/\/$/, ''))))
    throw new TokenFault('audience');
}

/** How the ids of the provider's users begin: none is a user of the token file, or of another provider, by having the same name. */
export function userPrefixOf({ issuer }: Pick<ClaimRules, 'issuer'>): string {
  return `${issuer}#`;
}

/** What both kinds say. */
function readClaims(
  claims: Claims,
  { issuer, userClaim, scopeClaims, canStepUp }: ClaimRules,
  expiresAtMs: number,
): ReadToken {
  // Whoever stole it could use it, which is what it was bound against.
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
    audience: wordsOf(claims['aud']),
    expiresAtMs,
    notBeforeMs,
  };
}

/** A claim by its name, or else by the names on the way to it. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let found: unknown = claims;
  for (const name of path.split('.'))
    found = isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** A text that can name somebody: numbers are spelled, and what a log or a page could not show is refused. */
function idOf(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_ID_CHARS) return undefined;
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(text) ? undefined : text;
}

/** Scopes: words in a text, or a list. A token that says nothing of scopes has none. */
function scopesOf(value: unknown): readonly string[] {
  const words = typeof value === 'string' ? value.split(' ') : wordsOf(value);
  return [...new Set(words.filter((word) => word !== ''))].slice(0, MAX_SCOPES);
}

/** A text, or a list of texts. */
function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

/** A time in seconds as milliseconds. */
function momentOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}
