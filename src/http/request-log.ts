/** One log line per request, when its response is over. Never a query, a header or a whole session id. */
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { createLineLog, shortId, shownPath } from '../log.ts';
import type { RequestState } from './context.ts';

/** Names each request and logs how it ended. */
export function logRequests(log: Logger): Middleware<RequestState> {
  const lines = createLineLog(log);
  return async (ctx, next) => {
    const startedMs = performance.now();
    const { res, state } = ctx;
    state.requestId = randomUUID();
    ctx.set('X-Request-Id', state.requestId);
    res.once('close', () => {
      const { requestId, grant, sessionId } = state;
      const line = {
        requestId,
        method: ctx.method,
        path: shownPath(ctx.path),
        status: res.statusCode,
        durationMs: Math.round(performance.now() - startedMs),
        userId: grant?.user.userId,
        tokenId: grant?.tokenId,
        session: sessionId && shortId(sessionId),
        // The response never ended: the client went away, or was cut.
        ...(!res.writableFinished && { aborted: true }),
      };
      // Whoever watches a server asks these every few seconds.
      if (ctx.path === '/health' || ctx.path === '/ready') lines.debug(line, 'request');
      else lines.info(line, 'request');
    });
    await next();
  };
}
