/** Wires the page for admins, if there are tokens at all; only then its modules are loaded. */
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticate.ts';
import type { TokenEditor } from '../auth/tokens/token-edit.ts';
import type { TokenFile } from '../auth/tokens/token-file.ts';
import type { TokenVerifier } from '../auth/verifier.ts';
import type { Config } from '../config/config.ts';
import type { Route } from '../http/context.ts';
import type { DescribeEntrance } from '../http/gate/bearer-auth.ts';
import type { CountFailure } from '../http/gate/rate-limit.ts';
import type { BodyLimits } from '../http/transports/body-bytes.ts';
import type { PeerSessions } from '../http/transports/peer-sessions.ts';
import { scopesAskedFor } from '../mcp/call-scopes.ts';
import type { McpDefinition } from '../mcp/server.ts';
import { readPackage } from '../package.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { openKeptUse } from './kept-use.ts';

/** What the page for admins needs. */
export interface AdminWiring {
  readonly config: Config;
  readonly verifier: TokenVerifier | undefined;
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  readonly describeEntrance: DescribeEntrance | undefined;
  readonly registry: SessionRegistry;
  readonly peerSessions: PeerSessions;
  readonly bodies: BodyLimits;
  readonly definition: McpDefinition;
  readonly log: Logger;
}

/** The routes of the page for admins, and how to close it. */
export interface AdminSite {
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

/** Opens the page for admins. Without authentication there are no users to manage, and nothing is loaded. */
export async function openAdmin(wiring: AdminWiring): Promise<AdminSite> {
  const { config, verifier, registry, peerSessions, definition } = wiring;
  if (!config.auth.enabled || verifier === undefined) return { routes: [], close: async () => {} };
  const [{ createAdminRoutes }, { createUsage }, people] = await Promise.all([
    import('../http/admin/admin.ts'),
    import('../http/admin/usage.ts'),
    openPeople(config, verifier),
  ]);
  const usage = (await openKeptUse(wiring)) ?? createUsage();
  const routes = createAdminRoutes({
    ...wiring,
    people,
    usage,
    async endSession(session) {
      registry.end(session, 'closed');
      await peerSessions.end(session);
    },
    scopes: scopesAskedFor(definition),
    serverName: readPackage().name,
    publicUrl: config.origin.publicUrl,
  });
  return { routes, close: async () => usage.close() };
}

/** Opens the users in the place that the configuration names. */
async function openPeople({ auth: { tokens } }: Config, verifier: TokenVerifier) {
  const { createFilePeople, createFixedPeople, createTablePeople, entriesOfVariable } =
    await import('../http/admin/people.ts');
  if (tokens.kind === 'text')
    return createFixedPeople(
      'variable',
      entriesOfVariable(tokens.text),
      'The tokens stand in the variable AUTH_TOKENS, which a running server cannot change. To manage people here, put them into a file (TOKENS_FILE) or a database (TOKENS_STORE=database).',
    );
  if (tokens.kind === 'database' && 'edit' in verifier)
    return createTablePeople(
      // oxlint-disable-next-line no-unsafe-type-assertion -- what openTokens opens for a database
      verifier as TokenVerifier & TokenEditor,
    );
  // A verifier of a fork's own has no file to read again.
  if (tokens.kind !== 'file' || !isTokenFile(verifier))
    return createFixedPeople(
      'elsewhere',
      [],
      'The tokens of this server are kept in a store of its own. Manage people there.',
    );
  return createFilePeople(tokens.path, {
    takeOver: async () => verifier.reload(),
    hasRead: () => verifier.hasRead(),
  });
}

/** Whether a verifier follows a token file, and can tell whether it has read it. */
function isTokenFile(verifier: TokenVerifier): verifier is TokenFile {
  return 'reload' in verifier && 'hasRead' in verifier;
}
