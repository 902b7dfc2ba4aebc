/** Wires an identity provider, where one is configured: its modules, and jose, are loaded then and not before. */
import { scopesAskedFor } from '../mcp/call-scopes.ts';
import type { Entrance, EntranceWiring } from './entrance.ts';

/** The entrance of a server whose users sign in elsewhere; undefined where they do not. */
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
  const [{ createProvider }, { createChallenge, createProviderRoutes }] = await Promise.all([
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
    describe: createChallenge(parts),
  };
}
