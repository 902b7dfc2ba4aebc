/** The application: the steps in the order a request meets them, and every route behind the gate. */
import type { IncomingMessage, RequestListener } from 'node:http';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticate.ts';
import type { OriginConfig } from '../config/network.ts';
import { basePathOf, createBasePathRemoval } from './base-path.ts';
import { type DescribeEntrance, requireBearer } from './gate/bearer-auth.ts';
import { setSecurityHeaders } from './security-headers.ts';
import type { RequestContext, RequestState, Route, Step } from './context.ts';
import { answerErrors, HttpError } from './errors.ts';
import { refuseForwarded } from './gate/forwarding-guard.ts';
import { guardOrigin } from './gate/origin-guard.ts';
import type { CountFailure } from './gate/rate-limit.ts';
import { guardRequest, takePath } from './gate/request-guard.ts';
import { logRequests } from './gate/request-log.ts';
import { createRouting } from './routing.ts';

/** What the application is made from. */
export interface AppParts {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  /** What the challenge of a 401 says besides. */
  readonly describeEntrance?: DescribeEntrance | undefined;
  readonly countFailure: CountFailure;
  readonly origin: OriginConfig;
  /** Whether everybody is meant to come without a token, through proxies too. */
  readonly isOpenToAll: boolean;
  /** Whether the log says from which address a refused request came. */
  readonly logAddresses?: boolean;
  readonly log: Logger;
}

/**
 * Builds the application. Koa answers what routes put into its context. Routes that write their own answers pass in front of Koa: it
 * would watch each response and its connection to the end, a tenth of a call's cost, and look for something to write. Without
 * `shortDoor` everything goes through Koa, and nothing else changes.
 */
export function createApp(parts: AppParts): RequestListener {
  const { routes, authenticator, describeEntrance, countFailure, origin, isOpenToAll, logAddresses, log } =
    parts;
  // Of several X-Forwarded-For entries only the last was written by the proxy that is trusted.
  const app = new Koa<RequestState>({ proxy: origin.trustProxy, maxIpsCount: 1 });
  app.silent = true;
  app.on('error', (error: unknown) => {
    // A connection that broke under a response. Its error may hold what the client sent, credentials and all.
    if (typeof error === 'object' && error !== null && 'code' in error)
      log.debug({ code: error.code }, 'connection failed');
    else log.error({ err: error }, 'response failed');
  });

  const routing = createRouting(routes, requireBearer(authenticator, countFailure, describeEntrance));
  const run = inTurn([
    logRequests(log),
    routing.find,
    setSecurityHeaders,
    answerErrors(log, { ...(logAddresses !== undefined && { showAddress: logAddresses }) }),
    guardRequest,
    guardOrigin({ ...origin, authEnabled: authenticator.enabled, log }),
    ...(authenticator.enabled || isOpenToAll ? [] : [refuseForwarded]),
    routing.serve,
    answerUnknownPath(routes),
  ]);
  app.use(run);

  const handleByKoa = app.callback();
  const takeOffBasePath = createBasePathRemoval(basePathOf(origin.publicUrl));
  const shortDoor = new Map(
    routes.filter(({ answersItself }) => answersItself === true).map((route) => [route.path, route]),
  );
  return (req, res) => {
    takePath(req);
    takeOffBasePath?.(req);
    const route = shortDoor.get(pathOf(req));
    // Neither promise rejects: answerErrors sees to that.
    if (route === undefined) void handleByKoa(req, res);
    else void run(enter(route, app.createContext(req, res)), nothingMore);
  };
}

/** Notes the route of a request: looked up already, and without taking the address to pieces. */
function enter(route: Route, ctx: RequestContext): RequestContext {
  ctx.state.route = route;
  return ctx;
}

/** Joins steps to one that runs them one inside the other, as Koa does; joined when the server is built, not with each request. */
function inTurn(steps: readonly Step[]): Step {
  return steps.reduceRight<Step>((rest, step) => (ctx, next) => step(ctx, () => rest(ctx, next)), goOn);
}

/** The step behind the last one. */
const goOn: Step = (_ctx, next) => next();

/** What comes after the last step. */
const nothingMore = (): void => undefined;

/** The path of a target in its usual form; of any other, something that no route has. */
function pathOf({ url = '' }: IncomingMessage): string {
  const queryAt = url.indexOf('?');
  return queryAt === -1 ? url : url.slice(0, queryAt);
}

/** A path that nothing serves: JSON for programs and people, never an empty 404. It names what is served. */
function answerUnknownPath(routes: readonly Route[]): Step {
  const served = ['/mcp', '/sse'].filter((path) => routes.some((route) => route.path === path));
  const words = `Nothing is served at this path. MCP clients use ${served.join(' or ')}; GET / tells more.`;
  return () => {
    throw new HttpError(404, 'not_found', words);
  };
}
