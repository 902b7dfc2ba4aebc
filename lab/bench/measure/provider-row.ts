/** The row about calls with a JWT of an identity provider. */
import { type MadeUpIssuer, startIssuer } from '../../made-up-issuer.ts';
import { credentialRow } from './credential-row.ts';

/** An expiry after the end of any run. Seconds since the epoch. */
const LATE = 4_000_000_000;

let provider: MadeUpIssuer | undefined;

export const PROVIDER_ROW = credentialRow({
  name: 'sign-in-jwt',
  kind: 'of a provider',
  atMost: 1.25,
  async open() {
    const started = (provider = await startIssuer());
    return { env: { OAUTH_ISSUER: started.issuer }, close: () => started.close() };
  },
  async tokenFor() {
    if (provider === undefined) throw new Error('There is no provider.');
    const claims = { sub: 'ada', name: 'Ada', aud: 'http://127.0.0.1', exp: LATE, scope: 'greet echo' };
    return provider.sign({ iss: provider.issuer, ...claims });
  },
});
