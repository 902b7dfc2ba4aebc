/** Limits a server without authentication to its own machine: a request that a proxy has forwarded comes from elsewhere. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Step } from '../context.ts';
import { HttpError } from '../errors.ts';

/** The headers that proxies, tunnels and content delivery networks add to a request, and clients do not. */
const FORWARDING_HEADER =
  /^(forwarded|via|cf-ray|x-forwarded(-.+)?|x-original-forwarded-for|(x|true|cf|fly|fastly)-([a-z-]+-)?(ip|address))$/;

/** Refuses requests that came through a proxy (403), except probes: without authentication, only the loopback address keeps others out. */
export const refuseForwarded: Step = (ctx, next) => {
  if (ctx.state.route?.isProbe === true || !isForwarded(ctx.req.headers)) return next();
  throw new HttpError(
    403,
    'forwarded_without_auth',
    'This server runs without authentication and serves its own machine only, but this request came through a proxy. Whoever runs the server: ' +
      'set AUTH_ENABLED=true and make tokens, or, if everybody may use the server, AUTH_ENABLED=false and ALLOW_PUBLIC_WITHOUT_AUTH=true.',
  );
};

/** Whether a request has a header that shows that it came through a proxy. */
export function isForwarded(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => FORWARDING_HEADER.test(name));
}
