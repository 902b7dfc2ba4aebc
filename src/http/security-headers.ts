/** The security headers of every answer. */
import type { Step } from './context.ts';

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The same as names and values in turn, for answers that are written past Koa. */
export const SECURITY_HEADER_LIST: readonly string[] = Object.entries(SECURITY_HEADERS).flat();

/** Sets them, and the request id, on answers of Koa. Routes that answer themselves write them with each head: `writeHead`. */
export const setSecurityHeaders: Step = (ctx, next) => {
  if (ctx.state.route?.answersItself !== true) {
    ctx.set(SECURITY_HEADERS);
    ctx.set({ 'Cache-Control': 'no-store', 'X-Request-Id': ctx.state.requestId });
  }
  return next();
};
