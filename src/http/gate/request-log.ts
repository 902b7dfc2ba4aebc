/**
 * Logs each request in one line, when its response has ended. A tool call that was answered has a line of its own, which says more. A line
 * never contains a query, a header or a whole session id.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createLineLog, shortId, shownPath } from '../../log.ts';
import type { RequestContext, RequestState, Step } from '../context.ts';

/** Makes the step that gives each request an id, and logs how it ended. */
export function logRequests(log: Logger): Step {
  const lines = createLineLog(log);
  const isLogged = lines.isLevelEnabled('info');
  return (ctx, next) => {
    ctx.state.requestId = randomUUID();
    if (isLogged) logAtEnd(ctx, lines);
    return next();
  };
}

/**
 * Logs a request when its response has ended. The listener holds only the response and the state: Koa's context is larger, and a stream
 * would keep it in memory for as long as it is open.
 */
function logAtEnd(ctx: RequestContext, lines: Logger): void {
  const startedMs = performance.now();
  const { res, state } = ctx;
  const findPath = state.route === undefined ? whenAsked(ctx) : undefined;
  res.on('close', () => {
    const level = levelOf(res, state);
    if (!lines.isLevelEnabled(level)) return;
    const { requestId, grant, route, sessionId, rpcMethod, refusal } = state;
    const line = {
      requestId,
      method: res.req.method,
      path: route?.path ?? findPath?.(),
      // A client that went away before the answer began has received no status.
      ...(res.headersSent && { status: res.statusCode }),
      durationMs: Math.round(performance.now() - startedMs),
      rpcMethod,
      userId: grant?.user.userId,
      tokenId: grant?.tokenId,
      session: sessionId && shortId(sessionId),
      ...refusal,
      // The response never ended: the client went away, or was cut.
      ...(!res.writableFinished && { aborted: true }),
    };
    lines[level](line, 'request');
  });
}

/** Makes a function that returns the path of a request without a known route. It is made here, so that no other closure holds the context. */
function whenAsked(ctx: RequestContext): () => string {
  return () => shownPath(ctx.path);
}

/** The level of a request's line. */
function levelOf(res: ServerResponse, { route, isCall }: RequestState): 'debug' | 'info' {
  // Monitoring calls probes every few seconds.
  if (route?.isProbe === true) return 'debug';
  // The call's own line has the same id. Logging two lines would cost a call twice as much as one.
  return isCall === true && res.statusCode < 400 && res.writableFinished ? 'debug' : 'info';
}
