/**
 * One log line per request, when its response is over; a tool call that was answered has left one of its own, which says more. Never a
 * query, a header or a whole session id.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createLineLog, shortId, shownPath } from '../../log.ts';
import type { RequestContext, RequestState, Step } from '../context.ts';

/** Names each request and logs how it ended. */
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
 * Logs a request when its response is over. What waits for that holds the response and the state alone: Koa's view of the request is
 * larger than they are, and a stream would keep it for as long as it is open.
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
      // Who went away before an answer began has got no status.
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

/** What finds the path of a request that no route is known of yet; in a function of its own, so that nothing else holds the context. */
function whenAsked(ctx: RequestContext): () => string {
  return () => shownPath(ctx.path);
}

/** At which level a request has its line. */
function levelOf(res: ServerResponse, { route, isCall }: RequestState): 'debug' | 'info' {
  // Whoever watches a server asks these every few seconds.
  if (route?.isProbe === true) return 'debug';
  // The call's own line has the same id. Two of them would cost a call twice as much as one.
  return isCall === true && res.statusCode < 400 && res.writableFinished ? 'debug' : 'info';
}
