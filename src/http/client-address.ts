/** The address that a request comes from, as far as it can be known. */
import { isIP } from 'node:net';
import type { RequestContext } from './context.ts';

/**
 * The address of the client: the one that the trusted proxy wrote, or the peer's. Some proxies write a port behind the address: it is
 * removed, as it differs with each connection. If the proxy wrote something that is not an address, the peer's is used.
 */
export function clientAddressOf(ctx: RequestContext): string {
  const written = ctx.ip.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
  return isIP(bare) === 0 ? (ctx.req.socket.remoteAddress ?? '') : bare;
}
