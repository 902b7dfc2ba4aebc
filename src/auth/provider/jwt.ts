/** Reads access tokens that are JWTs: verifies them by the provider's keys, with asymmetric algorithms only. */
import {
  compactVerify,
  type CompactVerifyGetKey,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { type Ask, isRecord } from './ask.ts';
import type { Claims } from './claims.ts';
import { TokenFault } from './refusals.ts';
import { createSeldom } from './seldom.ts';

/** Reads tokens. */
export interface JwtReader {
  /** The claims of a token with a valid signature. Rejects with a {@link TokenFault}, or when the keys cannot be fetched. */
  read(token: string): Promise<Claims>;
  /** Changes with the keys: what was read with earlier ones must be read again. */
  readonly version: unknown;
}

/** What the reader is made from. */
export interface JwtReaderOptions {
  /** Finds the URL of the keys. Rejects when it cannot be found. */
  readonly findJwksUrl: () => Promise<string>;
  readonly ask: Ask;
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/** The accepted algorithms: not `none`, and none by which somebody who knows only the public key could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The `typ` of access tokens. Many providers give none, or `JWT`. */
const TYPES = new Set(['at+jwt', 'jwt']);

/** Whether a text begins like a JWT: with a brace, and a quotation mark or whitespace (RFC 7515, section 3.3), in base64url. */
export function beginsLikeJwt(token: string): boolean {
  return /^(?:ey[AJ]|ew[0ko])/.test(token);
}

/** Whether a text has the form of a JWT: three parts, of which the first is a header in JSON. */
export function looksLikeJwt(token: string): boolean {
  return beginsLikeJwt(token) && /^[\w-]{4,}\.[\w-]+\.[\w-]*$/.test(token);
}

/** Makes the reader. */
export function createJwtReader({ findJwksUrl, ask, onFailure, now }: JwtReaderOptions): JwtReader {
  const keys = createSeldom({
    fetch: async () => {
      const { status, body } = await ask(await findJwksUrl());
      const keySet = status === 200 ? keySetOf(body) : undefined;
      if (keySet === undefined) throw new Error(`no keys: status ${status}`);
      return createLocalJWKSet(keySet);
    },
    onFailure,
    now,
  });
  return {
    get version() {
      return keys.latest;
    },
    async read(token) {
      requireAccessToken(token);
      const known = await keys.get();
      try {
        return await verify(token, known);
      } catch (error) {
        if (!(error instanceof TokenFault) || error.fault !== 'signature') throw error;
        // The key may have been made since the set was fetched: under a name of its own, under that of another key, or without one.
        const renewed = await keys.renew();
        if (renewed === known) throw error;
        return verify(token, renewed);
      }
    },
  };
}

/** Refuses a token by its header, if no key could make it valid. */
function requireAccessToken(token: string): void {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch (error) {
    throw new TokenFault('malformed', { cause: error });
  }
  const { alg, typ, crit } = header;
  // JWTs have no extension that needs `crit` (RFC 7519, RFC 7797).
  if (crit !== undefined) throw new TokenFault('malformed');
  if (alg === undefined || !ALGORITHMS.includes(alg)) throw new TokenFault('algorithm');
  const isTyped = typ === undefined || (typeof typ === 'string' && TYPES.has(plainType(typ)));
  if (!isTyped) throw new TokenFault('not_access');
}

/** A media type in lower case, without the prefix that may be left out (RFC 7515, section 4.1.9). */
function plainType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

/** The claims of a token that one of the keys has signed. */
async function verify(token: string, key: CompactVerifyGetKey): Promise<Claims> {
  const payload = await open(token, key);
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    throw new TokenFault('malformed', { cause: error });
  }
  if (!isRecord(claims)) throw new TokenFault('malformed');
  return claims;
}

/** The payload of a token that one of the keys has signed. If the token names no key, each that fits is tried. */
async function open(token: string, key: CompactVerifyGetKey): Promise<Uint8Array> {
  const options = { algorithms: ALGORITHMS };
  try {
    return (await compactVerify(token, key, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw toFault(error);
    for await (const candidate of error) {
      try {
        return (await compactVerify(token, candidate, options)).payload;
      } catch (cause) {
        // A key that is too short is no reason not to try the next one.
        if (cause instanceof errors.JWSInvalid) throw toFault(cause);
      }
    }
    throw new TokenFault('signature');
  }
}

/** An error of jose as a fault of the token. */
function toFault(error: unknown): TokenFault {
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new TokenFault('signature', { cause: error });
  if (error instanceof errors.JOSEAlgNotAllowed) return new TokenFault('algorithm', { cause: error });
  // A key of the set that is invalid or too short is the provider's fault, but the token cannot be accepted either.
  return new TokenFault(error instanceof errors.JWSInvalid ? 'malformed' : 'signature', { cause: error });
}

/**
 * The keys of a document, without what is none among them; undefined when it is no set of keys. An empty list is one: the provider has withdrawn
 * all its keys.
 */
function keySetOf(body: unknown): JSONWebKeySet | undefined {
  if (!isRecord(body) || !Array.isArray(body['keys'])) return undefined;
  const keys = body['keys'].filter(isKey);
  return keys.length > 0 || body['keys'].length === 0 ? { keys } : undefined;
}

/** Whether a member of a set may be a key. What is in it is read when a token needs it. */
function isKey(value: unknown): value is JWK {
  return isRecord(value);
}
