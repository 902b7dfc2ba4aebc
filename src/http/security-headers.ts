/** The headers that every answer carries, whatever it is. */
import type { RequestContext, Step } from './context.ts';

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The same as names and values in turn, for answers that are written past Koa. */
export const SECURITY_HEADER_LIST: readonly string[] = Object.entries(SECURITY_HEADERS).flat();

/** Sets them before anything else can answer. */
export const setSecurityHeaders: Step = (ctx, next) => {
  // Whoever answers on a route brings them: its dispatch, an error, or MCP with a head of its own.
  if (ctx.state.route === undefined) addSecurityHeaders(ctx);
  return next();
};

/** Adds them, and the request's name, to what Koa is going to answer. */
export function addSecurityHeaders(ctx: RequestContext): void {
  ctx.set(SECURITY_HEADERS);
  ctx.set({ 'Cache-Control': 'no-store', 'X-Request-Id': ctx.state.requestId });
}
