/** The application: the middleware in the order a request meets them, and every route behind the gate. */
import { Router } from '@koa/router';
import Koa, { type Middleware } from 'koa';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticate.ts';
import type { OriginConfig } from '../config.ts';
import { requireBearer } from './bearer-auth.ts';
import type { RequestState, Route } from './context.ts';
import { answerErrors, HttpError } from './errors.ts';
import { guardOrigin } from './origin-guard.ts';
import type { CountFailure } from './rate-limit.ts';
import { guardRequest } from './request-guard.ts';
import { logRequests } from './request-log.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** What the application is made from. */
export interface AppParts {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  readonly origin: OriginConfig;
  readonly log: Logger;
}

/** Builds the application. */
export function createApp({ routes, authenticator, countFailure, origin, log }: AppParts): Koa<RequestState> {
  // Of several X-Forwarded-For entries only the last was written by the proxy that is trusted.
  const app = new Koa<RequestState>({ proxy: origin.trustProxy, maxIpsCount: 1 });
  app.silent = true;
  app.on('error', (error: unknown) => {
    // A connection that broke under a response. Its error may hold what the client sent, credentials and all.
    if (typeof error === 'object' && error !== null && 'code' in error)
      log.debug({ code: error.code }, 'connection failed');
    else log.error({ err: error }, 'response failed');
  });

  const router = new Router<RequestState>({ strict: true, sensitive: true });
  const requireGrant = requireBearer(authenticator, countFailure);
  for (const route of routes) {
    const gate = route.access === 'public' ? [] : [requireGrant];
    router.all(route.path, ...gate, dispatch(route));
  }

  app.use(logRequests(log));
  app.use(setSecurityHeaders);
  app.use(answerErrors(log));
  app.use(guardRequest);
  app.use(guardOrigin({ ...origin, authEnabled: authenticator.enabled }));
  app.use(router.routes());
  app.use(answerUnknownPath);
  return app;
}

/** Hands a request to the handler of its method. */
function dispatch({ methods, protocol }: Route): Middleware<RequestState> {
  const table = new Map(Object.entries(methods));
  const allow = [...table.keys()].join(', ');
  return async (ctx) => {
    if (protocol === 'mcp') ctx.state.speaksJsonRpc = true;
    const handler = table.get(ctx.method);
    if (handler === undefined) {
      throw new HttpError(405, 'method_not_allowed', `Use ${allow} here.`, { headers: { Allow: allow } });
    }
    await handler(ctx);
  };
}

/** A path that nothing serves: JSON for programs and people, never an empty 404. */
const answerUnknownPath: Middleware = () => {
  throw new HttpError(
    404,
    'not_found',
    'Nothing is served at this path. MCP clients use /mcp or /sse; GET / tells more.',
  );
};
