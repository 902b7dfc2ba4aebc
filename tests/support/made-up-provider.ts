/** A made-up identity provider for tests: its keys, documents, tokens of every shape, and the faults that they can have. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import type { Ask } from '../../src/auth/provider/ask.ts';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** A signing key of the provider. */
export interface ProviderKey {
  readonly kid: string;
  readonly alg: string;
  readonly pair: KeyPair;
}

/** How to sign a token, where not as usual. */
export interface Signing {
  readonly key?: ProviderKey;
  readonly header?: Partial<JWTHeaderParameters>;
}

/** The provider. */
export interface MadeUpProvider {
  readonly issuer: string;
  /** The keys that it publishes; a test may change them. */
  published: ProviderKey[];
  /** Whether it can be reached. */
  isUp: boolean;
  /** The answers of token introspection (RFC 7662), by token. */
  readonly opaque: Map<string, Readonly<Record<string, unknown>>>;
  /** What has been requested, by the last part of each address. */
  readonly asked: string[];
  /** The headers and the form of the last introspection request. */
  lastIntrospection: Parameters<Ask>[1];
  readonly ask: Ask;
  sign(claims: Readonly<Record<string, unknown>>, signing?: Signing): Promise<string>;
}

/** Makes a signing key. */
export async function makeKey(kid: string, alg = 'ES256'): Promise<ProviderKey> {
  return { kid, alg, pair: await generateKeyPair(alg, { extractable: true }) };
}

/** Makes the provider. */
export async function createMadeUpProvider(issuer: string): Promise<MadeUpProvider> {
  const first = await makeKey('first');
  const provider: MadeUpProvider = {
    issuer,
    published: [first],
    isUp: true,
    opaque: new Map(),
    asked: [],
    lastIntrospection: undefined,
    async ask(url, options) {
      const name = url.slice(url.lastIndexOf('/') + 1);
      provider.asked.push(name);
      if (!provider.isUp) throw new Error('connect ECONNREFUSED');
      if (name === 'openid-configuration') {
        const [jwks, introspection] = [`${issuer}/jwks`, `${issuer}/introspect`];
        return { status: 200, body: { issuer, jwks_uri: jwks, introspection_endpoint: introspection } };
      }
      if (name === 'jwks') return { status: 200, body: { keys: await publicKeys(provider.published) } };
      if (name !== 'introspect') return { status: 404, body: undefined };
      provider.lastIntrospection = options;
      return { status: 200, body: provider.opaque.get(options?.form?.['token'] ?? '') ?? { active: false } };
    },
    async sign(claims, { key = provider.published[0] ?? first, header = {} } = {}) {
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
        .sign(key.pair.privateKey);
    },
  };
  return provider;
}

/** Serves the answers of a made-up provider over HTTP. */
export async function serveMadeUpProvider(): Promise<{ server: Server; provider: MadeUpProvider }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const provider = await createMadeUpProvider(`http://127.0.0.1:${port}/realms/school`);
  server.on('request', (req, res) => {
    const answer = async (): Promise<void> => {
      let text = '';
      for await (const part of req) text += String(part);
      const form = Object.fromEntries(new URLSearchParams(text));
      const { status, body } = await provider.ask(`http://provider${req.url ?? ''}`, { form });
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(body ?? {}));
    };
    // A provider that is down breaks the connection.
    answer().catch(() => req.socket.destroy());
  });
  return { server, provider };
}

/** The public keys, as a JWKS document has them. */
async function publicKeys(keys: readonly ProviderKey[]): Promise<object[]> {
  return Promise.all(
    keys.map(async ({ kid, alg, pair }) => ({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' })),
  );
}
