/** Reads access tokens that are JWTs: by the provider's keys, with algorithms that a key alone can sign with. */
import {
  compactVerify,
  type CompactVerifyGetKey,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
} from 'jose';
import { type Ask, isRecord } from './ask.ts';
import type { Claims } from './claims.ts';
import { TokenFault } from './refusals.ts';
import { createSeldom } from './seldom.ts';

/** Reads tokens. */
export interface JwtReader {
  /** The claims of a token whose signature is right. Rejects with a {@link TokenFault}, or where the keys cannot be asked for. */
  read(token: string): Promise<Claims>;
  /** Changes with the keys: what was read by those before must be read again. */
  readonly version: unknown;
}

/** What tokens are read with. */
export interface JwtReaderOptions {
  /** Where the keys are. Rejects where that cannot be found out. */
  readonly findJwksUrl: () => Promise<string>;
  readonly ask: Ask;
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/** No `none`, and nothing that whoever knows the public key could sign with. */
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

/** What access tokens call themselves; many providers say nothing, or `JWT`. */
const TYPES = new Set(['at+jwt', 'jwt']);

/** Whether a text has the form of a JWT: three parts, of which the first is a header in JSON. */
export function looksLikeJwt(token: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/** Makes the reader. */
export function createJwtReader({ findJwksUrl, ask, onFailure, now }: JwtReaderOptions): JwtReader {
  const keys = createSeldom({
    fetch: async () => {
      const { status, body } = await ask(await findJwksUrl());
      if (status !== 200 || !isKeySet(body)) throw new Error(`no keys: status ${status}`);
      return createLocalJWKSet(body);
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
      const claims = await verify(token, await keys.get()).catch(async (error: unknown) => {
        if (!isOfUnknownKey(error)) throw error;
        // It may have been made since.
        return verify(token, await keys.renew());
      });
      return claims;
    },
  };
}

/** Refuses by the header alone what no key could make right. */
function requireAccessToken(token: string): void {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch (error) {
    throw new TokenFault('malformed', { cause: error });
  }
  const { alg, typ, crit } = header;
  // Nothing that a JWT may have has to be understood (RFC 7519, RFC 7797).
  if (crit !== undefined) throw new TokenFault('malformed');
  if (alg === undefined || !ALGORITHMS.includes(alg)) throw new TokenFault('algorithm');
  const isTyped = typ === undefined || (typeof typ === 'string' && TYPES.has(plainType(typ)));
  if (!isTyped) throw new TokenFault('not_access');
}

/** A media type without what may be left out of it (RFC 7515, section 4.1.9). */
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

/** The payload of a token that one of the keys has signed. Where a token names no key, each that fits is tried. */
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
        if (!(cause instanceof errors.JWSSignatureVerificationFailed)) throw toFault(cause);
      }
    }
    throw new TokenFault('signature');
  }
}

/** Whether a token is of a key that is not known. */
function isOfUnknownKey(error: unknown): boolean {
  return error instanceof TokenFault && error.cause instanceof errors.JWKSNoMatchingKey;
}

/** What jose says, as a fault of the token. */
function toFault(error: unknown): TokenFault {
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new TokenFault('signature', { cause: error });
  if (error instanceof errors.JOSEAlgNotAllowed) return new TokenFault('algorithm', { cause: error });
  // A key of the set that is none, or too short, is the provider's fault, and lets nobody in either.
  return new TokenFault(error instanceof errors.JWSInvalid ? 'malformed' : 'signature', { cause: error });
}

/** Whether a document is a set of keys. */
function isKeySet(body: unknown): body is JSONWebKeySet {
  return isRecord(body) && Array.isArray(body['keys']) && body['keys'].every(isRecord);
}
