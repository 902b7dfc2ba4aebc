/** The application: the middleware in the order a request meets them, and every route behind the gate. */
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticate.ts';
import type { OriginConfig } from '../config/network.ts';
import { requireBearer } from './gate/bearer-auth.ts';
import { setSecurityHeaders } from './security-headers.ts';
import type { RequestState, Route, Step } from './context.ts';
import { handleDirectly } from './direct-handling.ts';
import { answerErrors, HttpError } from './errors.ts';
import { guardOrigin } from './gate/origin-guard.ts';
import type { CountFailure } from './gate/rate-limit.ts';
import { guardRequest } from './gate/request-guard.ts';
import { logRequests } from './gate/request-log.ts';
import { createRouting } from './routing.ts';

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

  const routing = createRouting(routes, requireBearer(authenticator, countFailure));
  app.use(logRequests(log));
  app.use(routing.find);
  app.use(setSecurityHeaders);
  app.use(answerErrors(log));
  app.use(guardRequest);
  app.use(guardOrigin({ ...origin, authEnabled: authenticator.enabled }));
  app.use(routing.serve);
  app.use(answerUnknownPath);
  handleDirectly(app);
  return app;
}

/** A path that nothing serves: JSON for programs and people, never an empty 404. */
const answerUnknownPath: Step = () => {
  throw new HttpError(
    404,
    'not_found',
    'Nothing is served at this path. MCP clients use /mcp or /sse; GET / tells more.',
  );
};
