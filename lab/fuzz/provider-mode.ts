/** The fuzzer's mode with an identity provider: the server accepts tokens of its users. */
import { randomBytes } from 'node:crypto';
import { startIssuer } from '../made-up-issuer.ts';
import { makeToken } from './server-child.ts';
import type { OpenMode } from './target.ts';

/** An expiry after the end of any run. Seconds since the epoch. */
const LATE = 4_000_000_000;

/** Starts the provider, and makes tokens of its users. */
export const byProvider: OpenMode = async (mark, port) => {
  const provider = await startIssuer();
  const { issuer } = provider;
  const tokenOf = (sub: string, name: string): string =>
    provider.sign({
      iss: issuer,
      sub,
      name,
      aud: `http://127.0.0.1:${port}`,
      exp: LATE,
      scope: 'greet echo',
    });
  const [ada, bob] = [`user-ada-${mark}`, `user-bob-${mark}`];
  const namesakes = { ada: makeToken(), bob: makeToken() };
  const names = { ada: `Ada of ${mark}`, bob: `Bob of ${mark}` };
  return {
    env: { OAUTH_ISSUER: issuer, SERVER_SECRET: randomBytes(32).toString('base64url') },
    secrets: {
      tokens: { ada: tokenOf(ada, names.ada), bob: tokenOf(bob, names.bob) },
      identities: { ada: [ada, names.ada], bob: [bob, names.bob] },
      sessions: new Map(),
    },
    // Tokens of the file are valid beside the provider's. These belong to users with the same ids as the provider's.
    tokens: { [namesakes.ada]: { userId: ada }, [namesakes.bob]: { userId: bob } },
    namesakes,
    issuer: provider,
  };
};
