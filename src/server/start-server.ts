/** The whole server over HTTP: builds every part once, listens, keeps time, and shuts down in the order that open streams need. */
import type { Logger } from 'pino';
import { createAuthenticator } from '../auth/authenticate.ts';
import type { TokenVerifier } from '../auth/verifier.ts';
import type { Config } from '../config/config.ts';
import { createApp } from '../http/app.ts';
import { loadRouter } from '../http/routing.ts';
import { EventStreams } from '../http/transports/event-streams.ts';
import { createBundleRoute } from '../http/site/bundle.ts';
import { createFaceRoute } from '../http/site/face.ts';
import { createHealthRoutes } from '../http/site/health.ts';
import { createMcpRoute } from '../http/transports/mcp-endpoint.ts';
import { createPage } from '../http/site/page.ts';
import { createFailureCounter } from '../http/gate/rate-limit.ts';
import { PeerSessions } from '../http/transports/peer-sessions.ts';
import { createSseRoutes } from '../http/transports/sse-endpoint.ts';
import { createStepUp } from '../http/transports/step-up.ts';
import { createStatelessEndpoint } from '../http/transports/stateless-endpoint.ts';
import { UploadBudget } from '../http/transports/upload-budget.ts';
import { createToolsRoute } from '../http/site/tools-endpoint.ts';
import { CallLimit } from '../mcp/call-limit.ts';
import { createFastLane } from '../mcp/fast-lane.ts';
import { createLineLog } from '../log.ts';
import { defineMcp } from '../mcp/server.ts';
import { createToolLister } from '../mcp/tool-lister.ts';
import type { EventStore } from '../sessions/event-store.ts';
import { createSessionRegistry } from '../sessions/registry.ts';
import { readPackage } from '../package.ts';
import { openAdmin } from './admin.ts';
import { openEntrance } from './entrance.ts';
import { openHttpServer } from './http-server.ts';
import { openMetrics } from './metrics.ts';
import { tellOfRightsChanges } from './rights-changes.ts';
import { infoOf, type ServerDefinition } from './server-definition.ts';
import { NO_SERVICES, type OpenServices } from './services.ts';
import { comeBackAfter, openSharedState, shareFailures, takePart } from './join-processes.ts';

/** What a server is made from. */
export interface ServerParts {
  readonly config: Config;
  /** Verifies tokens; absent while authentication is off. */
  readonly verifier?: TokenVerifier | undefined;
  readonly definition: ServerDefinition;
  /** The open services of the definition; absent if it has none. */
  readonly services?: OpenServices;
  /** Keeps the events of streams, for clients that come back. Default: the store that the configuration asks for. */
  readonly store?: EventStore;
  readonly log: Logger;
}

/** A server that listens. */
export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Loads modules that the start did not need; to be called after it, one after the other. */
  readonly loads: readonly (() => Promise<unknown>)[];
  /**
   * Shuts down: reports itself not ready, goes on serving for a while, takes no new connections, lets calls finish, ends streams. Resolves to
   * false when the grace period ended first and what was left has been cut.
   */
  close(): Promise<boolean>;
}

/** How often streams are checked for heartbeats that are due and for clients that do not read. Milliseconds. */
const TICK_MS = 500;

/** How often calls, streams and sessions are checked for tokens and users that have been revoked. Milliseconds. */
const REVOCATION_MS = 1_000;

/** The longest pause between two checks for idle sessions: with thousands of sessions, checking more often is not worth its cost. Milliseconds. */
const IDLE_CHECK_MS = 10_000;

/**
 * Builds the server and listens.
 * @throws the system's error when the address cannot be listened on
 */
export async function startServer({
  config,
  verifier,
  definition: { title, instructions, tools, features },
  services = NO_SERVICES,
  log,
  ...given
}: ServerParts): Promise<RunningServer> {
  const { limits, origin, sharing } = config;
  const facts = readPackage();
  const serverName = title ?? facts.name;
  const entrance = await openEntrance({ config, verifier, serverName, tools, features, log });
  const authenticator = createAuthenticator(entrance.verifier);
  // Without authentication everybody is the same user.
  const oneUser = !authenticator.enabled;
  const shared = await openSharedState(sharing, { log, oneUser });
  const { sessionIds, peers, store } = { ...shared, ...(given.store && { store: given.store }) };
  entrance.takePart?.(peers);
  const countFailure = shareFailures(createFailureCounter(config.auth.failuresPerMinute), peers);
  const gate = { authenticator, countFailure, describeEntrance: entrance.describe };
  const definition = defineMcp({
    info: infoOf(facts, title),
    instructions,
    tools,
    features,
    use: services.use,
    changes: services.changes,
    log,
    shortWay: createFastLane,
    callLimit: new CallLimit({ perMinute: limits.callsPerMinute }),
    ...(sharing.secrets.length > 0 && { processName: peers.self }),
    maxCallsPerUser: oneUser ? Infinity : limits.maxCallsPerUser,
  });
  const registry = createSessionRegistry({
    ...limits,
    maxSessionsPerUser: oneUser ? limits.maxSessions : limits.maxSessionsPerUser,
    idleMs: limits.sessionIdleMs,
  });
  const bytesPerUser = (oneUser ? 64 : 8) * limits.maxBodyBytes;
  const streams = new EventStreams({
    keepAliveMs: config.keepAliveMs,
    comeBackAfterMs: comeBackAfter(peers),
    unsentHardLimit: 4 * limits.maxBodyBytes,
    unsentPerUser: bytesPerUser,
    now: () => performance.now(),
  });
  const stateless = createStatelessEndpoint({ definition, registry, streams });
  const bodies = { maxBytes: limits.maxBodyBytes, uploads: new UploadBudget(bytesPerUser) };
  const stepUp = createStepUp(definition, entrance.describe);
  const common = { definition, registry, streams, stepUp };
  const endpoint = { ...common, bodies: { ...bodies, callLimit: definition.callLimit } };
  const forwarding = { peers, sessionIds, isCurrent: authenticator.isCurrent, log: createLineLog(log) };
  const peerSessions = new PeerSessions({ ...forwarding, registry, maxAgeMs: sharing.sessionMaxAgeMs });
  const tellSpent = takePart({ peers, store, definition, registry });
  let ready = true;
  tellOfRightsChanges(verifier, definition);
  const findObstacle = async (): Promise<string | undefined> => {
    if (!ready) return 'draining';
    if (peers.standing === 'unreached') return 'unavailable: redis';
    if (verifier?.isReady?.() === false) return 'unavailable: tokens';
    const unready = await services.findUnready();
    return unready.length === 0 ? undefined : `unavailable: ${unready.join(', ')}`;
  };
  const transports = [createMcpRoute({ ...endpoint, sessionIds, peerSessions, stateless, store })];
  if (config.sseEnabled) transports.push(...createSseRoutes({ ...endpoint, forwarding, origin }));
  const face = {
    ...facts,
    authEnabled: authenticator.enabled,
    authSwitchedOff: config.auth.isSwitchedOff,
    canSignIn: entrance.canSignIn,
    sseEnabled: transports.some(({ path }) => path === '/sse'),
    publicUrl: origin.publicUrl,
  };
  const adminSite = await openAdmin({ ...endpoint, ...gate, config, verifier, peerSessions, log });
  const routes = [
    createFaceRoute(face, createPage(face)),
    createBundleRoute(face),
    ...createHealthRoutes({
      ...facts,
      findObstacle,
      isDegraded: () => peers.standing === 'cut-off' || peers.isRefused,
    }),
    ...(await openMetrics({ config, log, definition, registry, peers, services, verifier, countFailure })),
    ...adminSite.routes,
    ...entrance.createRoutes(authenticator, countFailure),
    createToolsRoute(createToolLister(definition), definition.scopes),
    ...transports,
  ];
  const handle = createApp({
    routes,
    ...gate,
    origin,
    isOpenToAll: config.auth.isOpenToAll,
    logAddresses: config.logAddresses,
    log,
  });

  const server = await openHttpServer({ config, handle, log });
  const timers = [
    every(TICK_MS, () => streams.tick()),
    every(TICK_MS, () => store.tick()),
    every(REVOCATION_MS, () => {
      tellSpent();
      // Calls before streams: on a stream that the same token has opened, they are still told.
      definition.inFlight.endRevoked(authenticator.isCurrent);
      streams.endRevoked(authenticator.isCurrent);
      registry.endRevoked(authenticator.mayContinue);
    }),
    every(Math.min(IDLE_CHECK_MS, limits.sessionIdleMs / 2), () => registry.endIdle()),
  ];

  return {
    url: server.url,
    // The router is needed for paths that are patterns. The lane needs the SDK.
    loads: [
      async () => definition.findLane(),
      loadRouter,
      ...routes.flatMap(({ loadAhead }) => loadAhead ?? []),
    ],
    async close() {
      ready = false;
      await server.announce();
      const finished = await server.close(async () => {
        store.dismiss(streams.comeBackAfterMs);
        await Promise.all([registry.drain(), stateless.drain()]);
      });
      for (const timer of timers) clearInterval(timer);
      for (const route of routes) route.close?.();
      await adminSite.close();
      await peers.close();
      return finished;
    },
  };
}

/** Runs an action at an interval that does not keep the process alive. */
function every(milliseconds: number, action: () => void): NodeJS.Timeout {
  return setInterval(action, milliseconds).unref();
}
