/** The row about calls with a token of a sign-in. */
import { randomBytes } from 'node:crypto';
import { signIn } from '../../sign-in.ts';
import { tokenOf } from '../tokens.ts';
import { credentialRow } from './credential-row.ts';

export const SIGN_IN_ROW = credentialRow({
  name: 'sign-in',
  kind: 'of a sign-in',
  atMost: 1.15,
  open: async () => ({
    env: { SERVER_SECRET: randomBytes(32).toString('base64url') },
    close: () => undefined,
  }),
  tokenFor: async (port) => signIn(`http://127.0.0.1:${port}`, tokenOf(0), { host: '127.0.0.1' }),
});
