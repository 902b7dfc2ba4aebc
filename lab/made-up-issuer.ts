/** An identity provider of the lab's own: one key, its documents, and tokens that are signed with it or with another key. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { listenOnLoopback } from './conformance/loopback.ts';

/** How to sign a token. */
export interface Signing {
  /** Members of the token's header that are added or replaced. */
  readonly header?: object;
  readonly key: KeyObject;
}

/** A running provider. */
export interface MadeUpIssuer {
  readonly issuer: string;
  /** Signs claims with the provider's key, unless another key is given. */
  readonly sign: (claims: object, options?: Partial<Signing>) => string;
  close(): void;
}

const KEY_ID = 'lab';

/** Makes a key pair of the only kind that is used here. */
export function makeKeyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Starts a provider on a free port. */
export async function startIssuer(): Promise<MadeUpIssuer> {
  const { privateKey, publicKey } = makeKeyPair();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  const server: Server = createServer(({ url = '' }, res) => {
    const body = url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` };
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  return {
    issuer,
    sign: (claims, options = {}) => signJwt(claims, { key: privateKey, ...options }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Makes a JWT, signed with ES256 whatever its header says. */
export function signJwt(claims: object, { header = {}, key }: Signing): string {
  const head = { alg: 'ES256', kid: KEY_ID, typ: 'at+jwt', ...header };
  const text = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
