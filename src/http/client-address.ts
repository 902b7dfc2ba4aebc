/** The address that a request comes from, as far as it can be known. */
import { isIP } from 'node:net';
import type { RequestContext } from './context.ts';

/**
 * The address of the client: what the trusted proxy wrote, or the peer's. Some proxies write a port behind the address, which is
 * another one for each connection; what is no address is nobody's, so that the peer's counts.
 */
export function clientAddressOf(ctx: RequestContext): string {
  const written = ctx.ip.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
  return isIP(bare) === 0 ? (ctx.req.socket.remoteAddress ?? '') : bare;
}
