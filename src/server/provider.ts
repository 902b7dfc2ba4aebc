/** Wires an identity provider, if one is configured; only then its modules, and jose, are loaded. */
import { createChallenge } from '../http/site/resource-documents.ts';
import { scopesAskedFor } from '../mcp/call-scopes.ts';
import type { Entrance, EntranceWiring } from './entrance.ts';

/** Opens the entrance of a server whose users sign in at an identity provider; undefined if they do not. */
export async function openProvider({
  config,
  verifier,
  serverName,
  tools,
  features,
  log,
}: EntranceWiring): Promise<Entrance | undefined> {
  const { provider: settings, origin } = config;
  if (settings === undefined) return undefined;
  const [{ createProvider }, { createProviderRoutes }] = await Promise.all([
    import('../auth/provider/provider.ts'),
    import('../http/provider/provider.ts'),
  ]);
  const { publicUrl, hosts, trustProxy } = origin;
  const { issuer } = settings;
  const { addressOf, verifier: both } = createProvider({
    ...settings,
    tokens: verifier,
    addresses: { publicUrl, hosts: hosts === 'any' ? [] : hosts, trustProxy },
    onFailure: (what, reason) => log.warn({ what, reason }, 'identity provider cannot be asked'),
  });
  const scopes = scopesAskedFor({ tools, features });
  const parts = { issuer, addressOf, serverName, scopes, publicUrl };
  log.info({ issuer }, 'users sign in at an identity provider');
  return {
    verifier: both,
    canSignIn: true,
    createRoutes: (authenticator, countFailure) => createProviderRoutes(parts, authenticator, countFailure),
    describe: createChallenge(addressOf, scopes),
  };
}
