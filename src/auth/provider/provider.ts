/** The tokens of an identity provider, beside those of a file: a resource server for one issuer, made of parts that know no HTTP framework. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Addresses, createPublicAddressOf, RESOURCE_PATHS } from '../own-address.ts';
import type { NetworkOf, TokenVerifier, Verification } from '../verifier.ts';
import { type Ask, createAsk } from './ask.ts';
import { type ClaimRules, plainAudience } from './claims.ts';
import { discoverEndpoint, type EndpointName } from './endpoints.ts';
import { createIntrospection } from './introspection.ts';
import { createJwtReader } from './jwt.ts';
import { createProviderTokens, type ProviderTokens } from './provider-tokens.ts';
import { createSeldom } from './seldom.ts';

/** What the resource server is made from. */
export interface ProviderParts extends ClaimRules {
  /** The tokens of a file; absent where there is none. */
  readonly tokens: TokenVerifier | undefined;
  readonly addresses: Addresses;
  /** The audiences that tokens may have; empty: this server's own addresses. */
  readonly audience: readonly string[];
  readonly jwksUrl?: string;
  readonly introspectionUrl?: string;
  readonly client?: { readonly id: string; readonly secret: string };
  /** Told what of the provider cannot be reached, and why. */
  readonly onFailure: (what: 'document' | 'keys' | 'introspection', reason: string) => void;
  readonly now?: () => number;
  readonly ask?: Ask;
}

/** A resource server. */
export interface Provider {
  /** Verifies the provider's tokens, and those of the file. */
  readonly verifier: TokenVerifier;
  /** The address of this server that a request was sent to, which is the audience of its token. */
  readonly addressOf: (headers: IncomingHttpHeaders) => string;
}

/** Builds the resource server. It asks the provider for nothing before there is a token to read. */
export function createProvider(parts: ProviderParts): Provider {
  const { issuer, jwksUrl, introspectionUrl, client, onFailure, now = Date.now, ask = createAsk() } = parts;
  /** Makes the function that finds an endpoint: the configured one, or that of the provider's documents. */
  const finderOf = (configured: string | undefined, name: EndpointName): (() => Promise<string>) => {
    if (configured !== undefined) return async () => configured;
    const found = createSeldom({
      fetch: () => discoverEndpoint({ issuer, name, ask }),
      onFailure: (reason) => onFailure('document', reason),
      now,
    });
    return () => found.get();
  };
  const jwts = createJwtReader({
    findJwksUrl: finderOf(jwksUrl, 'jwks_uri'),
    ask,
    onFailure: (reason) => onFailure('keys', reason),
    now,
  });
  const introspect =
    client &&
    createIntrospection({
      findUrl: finderOf(introspectionUrl, 'introspection_endpoint'),
      client,
      ask,
      onFailure: (reason) => onFailure('introspection', reason),
      now,
    });
  const own = createProviderTokens({ rules: parts, jwts, introspect, now });
  const addressOf = createPublicAddressOf(parts.addresses);
  return {
    addressOf,
    verifier: besideTokens(parts.tokens, own, createAudience(parts.audience, addressOf)),
  };
}

/** How many addresses are remembered. There are more only when requests name many ports of this machine: then all are forgotten. */
const MAX_ADDRESSES = 100;

/** Makes the function that finds the audiences that the token of a request may have: a list, or the addresses of this server. */
function createAudience(
  listed: readonly string[],
  addressOf: Provider['addressOf'],
): (headers: IncomingHttpHeaders) => ReadonlySet<string> {
  const all = new Set(listed.map(plainAudience));
  if (all.size > 0) return () => all;
  const known = new Map<string, ReadonlySet<string>>();
  return (headers) => {
    const address = addressOf(headers);
    const found = known.get(address);
    if (found !== undefined) return found;
    if (known.size >= MAX_ADDRESSES) known.clear();
    const own = new Set(['', ...RESOURCE_PATHS].map((path) => plainAudience(address + path)));
    known.set(address, own);
    return own;
  };
}

/** A verifier of both kinds of tokens. The file is asked first, unless the token is one of the provider's JWTs that has been read before. */
function besideTokens(
  tokens: TokenVerifier | undefined,
  own: ProviderTokens,
  audienceOf: (headers: IncomingHttpHeaders) => ReadonlySet<string>,
): TokenVerifier {
  const verifyOwn = (token: string, headers: IncomingHttpHeaders, networkOf: NetworkOf) =>
    own.verify(token, audienceOf(headers), networkOf);
  /** Verifies as the provider's a token that the file does not have. */
  const elseOwn = (
    found: Verification,
    ...asked: Parameters<typeof verifyOwn>
  ): Verification | Promise<Verification> =>
    found.ok || found.reason !== 'unknown' || !own.hasForm(asked[0]) ? found : verifyOwn(...asked);
  return {
    verify(token, headers = {}, networkOf = nowhere) {
      if (tokens === undefined) return own.hasForm(token) ? verifyOwn(token, headers, networkOf) : UNKNOWN;
      const known = own.recall(token, audienceOf(headers));
      if (known !== undefined) return known;
      const found = tokens.verify(token, headers, networkOf);
      return found instanceof Promise
        ? found.then((later) => elseOwn(later, token, headers, networkOf))
        : elseOwn(found, token, headers, networkOf);
    },
    isCurrent: (grant) => own.isCurrent(grant) ?? tokens?.isCurrent(grant) ?? false,
    hasValidToken: (userId) => own.isUser(userId) || tokens?.hasValidToken(userId) === true,
    onRightsChange: (listener) => tokens?.onRightsChange?.(listener),
  };
}

/** The network of callers that have none, as on stdio. */
const nowhere: NetworkOf = () => '';

const UNKNOWN: Verification = { ok: false, reason: 'unknown' };
