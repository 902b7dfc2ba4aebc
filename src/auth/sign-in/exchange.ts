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

/** What tokens are made with. */
export interface ExchangeParts {
  readonly values: SealedValues;
  readonly families: Families;
  readonly judge: Judge;
  /** The scopes that there are. */
  readonly scopes: readonly string[];
  readonly accessMs: number;
  /** From the sign-in on, however often it is refreshed; 0 where there are no refresh tokens. */
  readonly refreshMs: number;
  readonly now: () => number;
  /** What this process is named by in what it makes. */
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

/** Who comes, and where. */
export interface Comer {
  readonly client: CallingClient;
  readonly issuer: string;
}

/** Makes and ends tokens. */
export interface Exchange {
  /**
   * The answer to a request of `/token`.
   * @throws {OAuthError} when it is refused, which uses nothing up
   */
  grant(parameters: Parameters, comer: Comer): TokenAnswer;
  /**
   * Ends the sign-in that a token is of (RFC 7009); what is no such token is no mistake. Resolves when those who listen have dealt with it.
   * @throws {OAuthError} when the token is another client's
   */
  revoke(token: string, client: CallingClient): Promise<void>;
}

/** Makes what makes tokens. */
export function createExchange(parts: ExchangeParts): Exchange {
  const { values, families } = parts;
  return {
    grant(parameters, comer) {
      const type = requireParameter(parameters, 'grant_type');
      if (type === 'authorization_code') return exchangeCode(parameters, comer, parts);
      if (type === 'refresh_token') return refresh(parameters, comer, parts);
      throw new OAuthError(
        'unsupported_grant_type',
        'The grant_type must be authorization_code or refresh_token.',
      );
    },
    async revoke(token, client) {
      const claims = values.open('access', token) ?? values.open('refresh', token);
      if (claims === undefined) return;
      if (claims.client !== client.hash)
        throw new OAuthError('unauthorized_client', 'The token was made for another client.');
      await families.end(claims.family);
    },
  };
}

/** A code for tokens. It is used up when everything else is right, and not before; once at each process, and by nobody without its verifier. */
function exchangeCode(parameters: Parameters, comer: Comer, parts: ExchangeParts): TokenAnswer {
  const code = requireParameter(parameters, 'code');
  const verifier = requireParameter(parameters, 'code_verifier');
  const { values, families, refreshMs, now, self } = parts;
  const claims = values.open('code', code);
  if (claims === undefined)
    throw new OAuthError('invalid_grant', 'The code is none of this server. Sign in again.', {
      isGuess: true,
    });
  const untilMs = endOf(claims, self);
  if (untilMs <= now() || claims.issuedAtMs > now() + MAX_SKEW_MS)
    throw new OAuthError('invalid_grant', 'The code has expired: it is good for a minute. Sign in again.');
  requireComer(claims, comer);
  requireSameRedirect(claims, parameters.get('redirect_uri'));
  requireSameResources(claims, parameters.resources(), comer.issuer);
  if (!isVerifier(verifier) || !provesChallenge(verifier, claims.challenge))
    throw new OAuthError(
      'invalid_grant',
      'The code_verifier is not the one that the code was asked for with.',
    );
  const entry = requireEntry({ ...claims, expiresAtMs: untilMs }, parts);
  families.useCode(claims.family, untilMs);
  const endsAtMs = now() + refreshMs;
  return answer({ claims, entry, generation: claims.refreshes ? 0 : undefined, endsAtMs }, parts);
}

/** A refresh token for its successors. */
function refresh(parameters: Parameters, comer: Comer, parts: ExchangeParts): TokenAnswer {
  const token = requireParameter(parameters, 'refresh_token');
  const { values, families } = parts;
  const claims: RefreshClaims | undefined = values.open('refresh', token);
  if (claims === undefined)
    throw new OAuthError('invalid_grant', 'The refresh token is none of this server. Sign in again.', {
      isGuess: true,
    });
  requireComer(claims, comer);
  requireOwnResources(parameters.resources(), comer.issuer);
  const entry = requireEntry(claims, parts);
  const generation = families.useRefresh(claims.family, claims.generation);
  const asked = readScope(parameters.get('scope'), claims.scopes ?? parts.scopes);
  const narrowed = { ...claims, scopes: asked.scopes ?? claims.scopes };
  return answer({ claims, narrowed, entry, generation, endsAtMs: claims.expiresAtMs }, parts);
}

/** Refuses a value that was made for somebody else, or to be used elsewhere. */
function requireComer(claims: SignInClaims, { client, issuer }: Comer): void {
  if (claims.client !== client.hash)
    throw new OAuthError('invalid_grant', 'This was given to another client. Sign in again.');
  if (claims.issuer !== issuer)
    throw new OAuthError('invalid_grant', 'This was given at another address of this server. Sign in again.');
}

/** Refuses an exchange with another redirect than the code went to. */
function requireSameRedirect({ redirectUri, namedRedirect }: CodeClaims, named: string | undefined): void {
  if (named === undefined ? !namedRedirect : named === redirectUri) return;
  throw new OAuthError('invalid_grant', 'The redirect_uri is not the one that the code was asked for with.');
}

/** Refuses an exchange for something else than the code is for. */
function requireSameResources({ resources }: CodeClaims, asked: readonly string[], issuer: string): void {
  const named = requireOwnResources(asked, issuer);
  if (resources.length === 0 || named.every((resource) => resources.includes(resource))) return;
  throw new OAuthError('invalid_target', 'The resource is not the one that the code was asked for with.');
}

/** The entry behind a value. Where nobody can tell, the client is to come back with it: at an `invalid_grant` it would sign its user out. */
function requireEntry(claims: SignInClaims, { judge }: ExchangeParts): EntryOf {
  const verdict = judge(claims);
  if (verdict.ok) return verdict.entry;
  if (verdict.refused.reason === 'unavailable')
    throw new OAuthError(
      'temporarily_unavailable',
      'Whether the token that was signed in with is valid cannot be told at this moment: what knows the tokens cannot be reached. Try again soon.',
    );
  throw new OAuthError(
    'invalid_grant',
    verdict.by === 'sign-in'
      ? SIGN_IN_ENDED
      : 'The token that was signed in with is not valid any more. Sign in again.',
  );
}

/** What an answer is made of. */
interface AnswerFacts {
  readonly claims: SignInClaims;
  /** The claims of the access token, where it gets less than the sign-in. */
  readonly narrowed?: SignInClaims;
  readonly entry: EntryOf;
  /** Of the refresh token; undefined where there is none. */
  readonly generation: number | undefined;
  /** When the sign-in is over. */
  readonly endsAtMs: number;
}

/** Makes tokens. None of them lives longer than the entry. */
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
