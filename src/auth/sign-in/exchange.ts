/** `/token` and `/revoke` without their HTTP: a code for tokens, a refresh token for its successors, and an end to both. */
import { SIGN_IN_ENDED } from '../authenticate.ts';
import type { CallingClient } from './clients.ts';
import type { Families } from './families.ts';
import type { Judge, Verdict } from './judge.ts';
import { OAuthError } from './oauth-error.ts';
import { type Parameters, requireParameter } from './parameters.ts';
import { isVerifier, provesChallenge } from './pkce.ts';
import { requireOwnResources } from './resources.ts';
import { readScope, spellScope } from './scopes.ts';
import type { CodeClaims, RefreshClaims, SealedValues, SignInClaims } from './sealed-values.ts';
import { endOf, MAX_SKEW_MS } from './skew.ts';

/** What the exchange is made from. */
export interface ExchangeParts {
  readonly values: SealedValues;
  readonly families: Families;
  readonly judge: Judge;
  /** Every scope that this server knows. */
  readonly scopes: readonly string[];
  readonly accessMs: number;
  /** How long a sign-in can be refreshed, counted from its beginning; 0: there are no refresh tokens. */
  readonly refreshMs: number;
  readonly now: () => number;
  /** Names this process in the codes that it makes. */
  readonly self: string;
}

/** The entry behind a verdict. */
type EntryOf = Extract<Verdict, { readonly ok: true }>['entry'];

/** The answer of `/token` (RFC 6749, section 5.1). */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** The client that sends a request of `/token`, and the issuer (RFC 8414) that it sends it to. */
export interface TokenRequester {
  readonly client: CallingClient;
  readonly issuer: string;
}

/** Makes and ends tokens. */
export interface Exchange {
  /**
   * The answer to a request of `/token`.
   * @throws {OAuthError} when it is refused, which uses nothing up
   */
  grant(parameters: Parameters, requester: TokenRequester): TokenAnswer;
  /**
   * Ends the sign-in that a token comes from (RFC 7009); an unknown token is no error. Resolves when all listeners have finished.
   * @throws {OAuthError} when the token is another client's
   */
  revoke(token: string, client: CallingClient): Promise<void>;
}

/** Makes the exchange of a server. */
export function createExchange(parts: ExchangeParts): Exchange {
  const { values, families } = parts;
  return {
    grant(parameters, requester) {
      const type = requireParameter(parameters, 'grant_type');
      if (type === 'authorization_code') return exchangeCode(parameters, requester, parts);
      if (type === 'refresh_token') return refresh(parameters, requester, parts);
      throw new OAuthError(
        'unsupported_grant_type',
        'The grant_type must be authorization_code or refresh_token.',
      );
    },
    async revoke(token, client) {
      const claims = values.open('access', token) ?? values.open('refresh', token);
      if (claims === undefined) return;
      if (claims.client !== client.hash)
        throw new OAuthError('unauthorized_client', 'The token was issued to another client.');
      await families.end(claims.family);
    },
  };
}

/** Exchanges a code for tokens. The code is used up only when every other check has passed: nobody without its verifier can spend it. */
function exchangeCode(parameters: Parameters, requester: TokenRequester, parts: ExchangeParts): TokenAnswer {
  const code = requireParameter(parameters, 'code');
  const verifier = requireParameter(parameters, 'code_verifier');
  const { values, families, refreshMs, now, self } = parts;
  const claims = values.open('code', code);
  if (claims === undefined)
    throw new OAuthError('invalid_grant', 'The code was not issued by this server. Sign in again.', {
      isGuess: true,
    });
  const untilMs = endOf(claims, self);
  if (untilMs <= now() || claims.issuedAtMs > now() + MAX_SKEW_MS)
    throw new OAuthError(
      'invalid_grant',
      'The code has expired: it was valid for one minute. Sign in again.',
    );
  requireIssuedTo(claims, requester);
  requireSameRedirect(claims, parameters.get('redirect_uri'));
  requireSameResources(claims, parameters.resources(), requester.issuer);
  if (!isVerifier(verifier) || !provesChallenge(verifier, claims.challenge))
    throw new OAuthError(
      'invalid_grant',
      'The code_verifier does not match the code_challenge of the authorization request.',
    );
  const entry = requireEntry({ ...claims, expiresAtMs: untilMs }, parts);
  families.useCode(claims.family, untilMs);
  const endsAtMs = now() + refreshMs;
  return answer({ claims, entry, generation: claims.refreshes ? 0 : undefined, endsAtMs }, parts);
}

/** Exchanges a refresh token for an access token and the next refresh token. */
function refresh(parameters: Parameters, requester: TokenRequester, parts: ExchangeParts): TokenAnswer {
  const token = requireParameter(parameters, 'refresh_token');
  const { values, families } = parts;
  const claims: RefreshClaims | undefined = values.open('refresh', token);
  if (claims === undefined)
    throw new OAuthError('invalid_grant', 'The refresh token was not issued by this server. Sign in again.', {
      isGuess: true,
    });
  requireIssuedTo(claims, requester);
  requireOwnResources(parameters.resources(), requester.issuer);
  const entry = requireEntry(claims, parts);
  const generation = families.useRefresh(claims.family, claims.generation);
  const asked = readScope(parameters.get('scope'), claims.scopes ?? parts.scopes);
  const narrowed = { ...claims, scopes: asked.scopes ?? claims.scopes };
  return answer({ claims, narrowed, entry, generation, endsAtMs: claims.expiresAtMs }, parts);
}

/** Refuses a code or a refresh token that was issued to another client, or by another issuer. */
function requireIssuedTo(claims: SignInClaims, { client, issuer }: TokenRequester): void {
  if (claims.client !== client.hash)
    throw new OAuthError('invalid_grant', 'This was issued to another client. Sign in again.');
  if (claims.issuer !== issuer)
    throw new OAuthError(
      'invalid_grant',
      'This was issued at another address of this server. Sign in again at this one.',
    );
}

/** Refuses an exchange whose redirect_uri is not the one that the code was sent to. */
function requireSameRedirect({ redirectUri, namedRedirect }: CodeClaims, named: string | undefined): void {
  if (named === undefined ? !namedRedirect : named === redirectUri) return;
  throw new OAuthError('invalid_grant', 'The redirect_uri is not that of the authorization request.');
}

/** Refuses an exchange for a resource (RFC 8707) that the code was not asked for with. */
function requireSameResources({ resources }: CodeClaims, asked: readonly string[], issuer: string): void {
  const named = requireOwnResources(asked, issuer);
  if (resources.length === 0 || named.every((resource) => resources.includes(resource))) return;
  throw new OAuthError('invalid_target', 'The resource is not one of the authorization request.');
}

/** The token entry that a sign-in stands on. When that cannot be looked up, the client is told to retry: on `invalid_grant` it would sign its user out. */
function requireEntry(claims: SignInClaims, { judge }: ExchangeParts): EntryOf {
  const verdict = judge(claims);
  if (verdict.ok) return verdict.entry;
  if (verdict.refused.reason === 'unavailable')
    throw new OAuthError(
      'temporarily_unavailable',
      'This server cannot check at the moment whether this sign-in is still valid. Send the same request again soon.',
    );
  throw new OAuthError(
    'invalid_grant',
    verdict.by === 'sign-in'
      ? SIGN_IN_ENDED
      : 'The token that was used to sign in is no longer valid. Sign in again with a valid one.',
  );
}

/** What an answer is made of. */
interface AnswerFacts {
  readonly claims: SignInClaims;
  /** The claims of the access token, where it was asked for with fewer scopes than the sign-in has. */
  readonly narrowed?: SignInClaims;
  readonly entry: EntryOf;
  /** The generation of the refresh token; undefined: none is given. */
  readonly generation: number | undefined;
  /** When the sign-in ends. */
  readonly endsAtMs: number;
}

/** Makes the answer with its tokens. None of them lives longer than the token entry. */
function answer(
  { claims, narrowed = claims, entry, generation, endsAtMs }: AnswerFacts,
  parts: ExchangeParts,
): TokenAnswer {
  const { values, accessMs, refreshMs, scopes, now } = parts;
  const issuedAtMs = now();
  const { expiresAtMs: entryEndsAtMs = Infinity, grant } = entry;
  const expiresAtMs = Math.min(issuedAtMs + accessMs, entryEndsAtMs);
  const { digest, client, family, wantsOffline, issuer } = claims;
  const base = { digest, client, family, wantsOffline, issuer, issuedAtMs };
  const scope = spellScope(narrowed, { entry: grant.user.scopes, known: scopes });
  return {
    access_token: values.seal('access', { ...base, scopes: narrowed.scopes, expiresAtMs }),
    token_type: 'Bearer',
    expires_in: Math.max(1, Math.floor((expiresAtMs - issuedAtMs) / 1000)),
    ...(generation !== undefined &&
      refreshMs > 0 && {
        refresh_token: values.seal('refresh', {
          ...base,
          scopes: claims.scopes,
          generation,
          expiresAtMs: Math.min(endsAtMs, entryEndsAtMs),
        }),
      }),
    ...(scope !== undefined && { scope }),
  };
}
