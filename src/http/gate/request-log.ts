/**
 * One log line per request, when its response is over; a tool call that was answered has left one of its own, which says more. Never a
 * query, a header or a whole session id.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { createLineLog, shortId, shownPath } from '../../log.ts';
import type { RequestContext, Step } from '../context.ts';

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

/** Logs a request when its response is over. */
function logAtEnd(ctx: RequestContext, lines: Logger): void {
  const startedMs = performance.now();
  const { res, state } = ctx;
  res.on('close', () => {
    const level = levelOf(ctx);
    if (!lines.isLevelEnabled(level)) return;
    const { requestId, grant, route, sessionId, rpcMethod, refusal } = state;
    const line = {
      requestId,
      method: ctx.method,
      path: route?.path ?? shownPath(ctx.path),
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

/** At which level a request has its line. */
function levelOf({ res, state: { route, isCall } }: RequestContext): 'debug' | 'info' {
  // Whoever watches a server asks these every few seconds.
  if (route?.isProbe === true) return 'debug';
  // The call's own line has the same id. Two of them would cost a call twice as much as one.
  return isCall === true && res.statusCode < 400 && res.writableFinished ? 'debug' : 'info';
}
