/** Wires signing in, if it is configured; only then its modules are loaded. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { SignIn } from '../auth/sign-in/sign-in.ts';
import type { Offer } from '../http/sign-in/consent-page.ts';
import { createChallenge } from '../http/site/resource-documents.ts';
import { scopesAskedFor } from '../mcp/call-scopes.ts';
import type { Peers } from '../sessions/peers.ts';
import type { Entrance, EntranceWiring } from './entrance.ts';

/** The length of a secret that is generated for one run. Bytes. */
const SECRET_BYTES = 32;

/** Opens the entrance of a server on which users can sign in; undefined if they cannot. */
export async function openSignIn({
  config,
  verifier,
  serverName,
  tools,
  features,
  log,
}: EntranceWiring): Promise<Entrance | undefined> {
  const { signIn: settings, noSignInBecause, origin } = config;
  if (noSignInBecause !== undefined) log.info({ reason: noSignInBecause }, 'users cannot sign in');
  if (settings === undefined || verifier?.lookUp === undefined) return undefined;
  const [{ createSignIn }, { createSignInRoutes }] = await Promise.all([
    import('../auth/sign-in/sign-in.ts'),
    import('../http/sign-in/sign-in.ts'),
  ]);
  const { publicUrl, hosts, trustProxy } = origin;
  const signIn = createSignIn({
    ...settings,
    tokens: verifier,
    lookUp: (digest) => verifier.lookUp?.(digest),
    secrets: settings.secrets.length > 0 ? settings.secrets : [makeUpSecret(log)],
    addresses: { publicUrl, hosts: hosts === 'any' ? [] : hosts, trustProxy },
    scopes: scopesAskedFor({ tools, features }),
    onDocumentFailure: (host, reason) => log.warn({ host, reason }, 'document of a client cannot be used'),
  });
  return {
    verifier: signIn.verifier,
    canSignIn: true,
    createRoutes: (authenticator, countFailure) =>
      createSignInRoutes({
        signIn,
        authenticator,
        countFailure,
        failuresPerMinute: config.auth.failuresPerMinute,
        serverName,
        offers: offersOf({ tools, features }),
        canRegister: settings.canRegister,
        publicUrl,
        log,
      }),
    describe: createChallenge(signIn.issuerOf, signIn.scopes),
    takePart: (peers) => shareEnds(signIn.ends, peers),
  };
}

/** Makes the end of a sign-in, by its client or because two clients have a token of it, count in every process that can be reached at that moment. */
export function shareEnds(ends: SignIn['ends'], peers: Pick<Peers, 'tell' | 'onTell'>): void {
  ends.onEnd(async (family) => peers.tell('sign-in ended', family));
  peers.onTell('sign-in ended', (family: string) => ends.noteEnded(family));
}

/** What a client may use: titles for people, and the scope that each needs. */
function offersOf({ tools, features = [] }: Pick<EntranceWiring, 'tools' | 'features'>): Offer[] {
  const prompts = features.flatMap(({ prompts: own = [] }) => own);
  const resources = features.flatMap(({ resources: own = [] }) => own);
  return [
    ...tools.map(({ title, scope }) => ({ title, scope })),
    ...prompts.map(({ name, listed: { title = name }, scope }) => ({ title, scope })),
    ...resources.map(({ name, listed, scope }) => {
      const { title = name } = 'resource' in listed ? listed.resource : listed.template;
      return { title, scope };
    }),
  ];
}

/** Generates a secret for this run, and warns of it. */
function makeUpSecret(log: Logger): string {
  log.warn('SERVER_SECRET is not set: sign-ins end with this run. "npm run token -- secret" prints one.');
  return randomBytes(SECRET_BYTES).toString('base64url');
}
