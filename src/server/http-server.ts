/** Node's HTTP server around the app: how its connections are accepted, guarded, and given up at a shutdown. */
import { createServer, type RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { answerClientErrors } from '../http/gate/client-error.ts';
import { guardConnections } from '../http/gate/connections.ts';
import { leaveHeadsToGate, SERVER_OPTIONS } from '../http/gate/heads.ts';
import { OpenConnections } from '../http/gate/open-connections.ts';
import { inTurn } from '../http/gate/pipelines.ts';
import { createLeave } from './leave-taking.ts';
import { listen, urlOf } from './listening.ts';

/** What the server is made from. */
export interface HttpServerParts {
  readonly config: Config;
  /** Answers a request. */
  readonly handle: RequestListener;
  readonly log: Logger;
}

/** An HTTP server that listens. */
export interface HttpServer {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Serves on until proxies and load balancers have had the time to send their requests elsewhere. */
  announce(): Promise<void>;
  /**
   * Takes no new connections, runs `drain`, and closes connections as they become idle. Resolves to false when the grace period ended first
   * and what was left has been cut.
   */
  close(drain: () => Promise<void>): Promise<boolean>;
}

/** How often connections are checked for clients that are behind with what they have been sent. Milliseconds. */
const BEHIND_CHECK_MS = 10_000;

/** How often connections are closed that have become idle during a shutdown. Milliseconds. */
const SWEEP_MS = 100;

/** The part of the grace period in which requests that were half sent when the shutdown began are waited for. */
const PATIENCE_WITH_SENDERS = 0.75;

/**
 * Makes the server and listens.
 * @throws the system's error when the address cannot be listened on
 */
export async function openHttpServer({ config, handle, log }: HttpServerParts): Promise<HttpServer> {
  const { limits, origin, shutdownGraceMs } = config;
  const leave = createLeave({ delayMs: config.shutdownDelayMs, graceMs: shutdownGraceMs });
  const options = { ...SERVER_OPTIONS, keepAliveTimeout: config.idleConnectionMs };
  const take = inTurn((req, res) => {
    leave.onRequest(res);
    handle(req, res);
  });
  const server = createServer(options, take);
  answerClientErrors(server);
  leaveHeadsToGate(server);
  guardConnections(server, {
    ...limits,
    // Behind a proxy all connections come from its address.
    ...(origin.trustProxy && { maxConnectionsPerAddress: Infinity }),
    log,
  });
  const connections = new OpenConnections(server);
  await listen(server, config);
  const cutting = setInterval(() => connections.cutThoseBehind(), BEHIND_CHECK_MS).unref();

  return {
    url: urlOf(server, config.host),
    announce: async () => leave.announce(server),
    async close(drain) {
      const closed = leave.stopListening(server);
      // Connections that have been told to close are not idle until their last response is out: sweep again and again.
      const stuckAfterMs = performance.now() + shutdownGraceMs * PATIENCE_WITH_SENDERS;
      const sweep = setInterval(() => {
        // A client that has begun a request may finish it, but one that does not finish must not use up the grace period of the calls.
        const mayCutUnfinished = performance.now() >= stuckAfterMs;
        connections.sweep({ mayCloseIdle: leave.mayCloseIdle(), mayCutUnfinished });
      }, SWEEP_MS);
      const drained = Promise.all([drain(), closed]).then(() => true);
      const finished = await Promise.race([drained, delay(shutdownGraceMs, false, { ref: false })]);
      if (!finished) server.closeAllConnections();
      clearInterval(sweep);
      clearInterval(cutting);
      return finished;
    },
  };
}
