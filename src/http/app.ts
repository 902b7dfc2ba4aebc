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
  /** Adds parameters to the challenge of a 401. */
  readonly describeEntrance?: DescribeEntrance | undefined;
  readonly countFailure: CountFailure;
  readonly origin: OriginConfig;
  /** Whether the server is meant to be open to everybody without a token, also through proxies. */
  readonly isOpenToAll: boolean;
  /** Whether the log says from which address a refused request came. */
  readonly logAddresses: boolean;
  readonly log: Logger;
}

/**
 * Builds the application. Koa answers what routes put into its context. Routes that write their own answers are served past Koa, which
 * would watch each response and its connection to the end, a tenth of a call's cost, and look for something to write. Without
 * `selfAnswering` everything goes through Koa, and nothing else changes.
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
  const run = compose([
    logRequests(log),
    routing.find,
    setSecurityHeaders,
    answerErrors(log, { showAddress: logAddresses }),
    guardRequest,
    guardOrigin({ ...origin, authEnabled: authenticator.enabled, log }),
    ...(authenticator.enabled || isOpenToAll ? [] : [refuseForwarded]),
    routing.serve,
    answerUnknownPath(routes),
  ]);
  app.use(run);

  const handleByKoa = app.callback();
  const takeOffBasePath = createBasePathRemoval(basePathOf(origin.publicUrl));
  const selfAnswering = new Map(
    routes.filter(({ answersItself }) => answersItself === true).map((route) => [route.path, route]),
  );
  return (req, res) => {
    takePath(req);
    takeOffBasePath?.(req);
    const route = selfAnswering.get(pathOf(req));
    // Neither promise rejects: answerErrors sees to that.
    if (route === undefined) void handleByKoa(req, res);
    else void run(withRoute(route, app.createContext(req, res)), endOfSteps);
  };
}

/** Notes the route of a request, so that it is not looked up again. */
function withRoute(route: Route, ctx: RequestContext): RequestContext {
  ctx.state.route = route;
  return ctx;
}

/** Composes steps into one that runs them one inside the other, as Koa does: once, when the server is built, not with each request. */
function compose(steps: readonly Step[]): Step {
  return steps.reduceRight<Step>((rest, step) => (ctx, next) => step(ctx, () => rest(ctx, next)), callNext);
}

/** The innermost step, which hands on to whatever runs the composed one. */
const callNext: Step = (_ctx, next) => next();

/** The `next` of the last step where there is no Koa. */
const endOfSteps = (): void => undefined;

/** The path of a request target in origin-form (RFC 9112, section 3.2.1); of any other form, a text that is no route's path. */
function pathOf({ url = '' }: IncomingMessage): string {
  const queryAt = url.indexOf('?');
  return queryAt === -1 ? url : url.slice(0, queryAt);
}

/** Answers requests for paths without a route: never an empty 404, but words that name the paths of MCP. */
function answerUnknownPath(routes: readonly Route[]): Step {
  const served = ['/mcp', '/sse'].filter((path) => routes.some((route) => route.path === path));
  const words = `Nothing is served at this path. MCP clients use ${served.join(' or ')}; GET / tells more.`;
  return () => {
    throw new HttpError(404, 'not_found', words);
  };
}
