/** Finds which of its addresses a request was sent to: metadata documents name that one, and tokens are issued for it. */
import type { IncomingHttpHeaders } from 'node:http';

/** The addresses of a server. */
export interface Addresses {
  /** The public URL, with a path if there is one. Undefined on a server for its own machine. */
  readonly publicUrl: string | undefined;
  /** The Host headers that are accepted besides the loopback names. */
  readonly hosts: readonly string[];
  /** Whether the headers of the proxy in front are trusted. */
  readonly trustProxy: boolean;
}

/** The paths that clients connect to, and name as what their tokens are for (RFC 8707). `/messages` belongs to `/sse`. */
export const RESOURCE_PATHS = ['/mcp', '/sse', '/tools'] as const;

/** A Host that names this machine, with or without a port. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/**
 * A Host without the default port of http or https, which does not change its meaning (RFC 9110, section 4.2.3). Browsers leave it out of an Origin.
 */
export function withoutUsualPort(host: string): string {
  return host.replace(/:(80|443)$/, '');
}

/** Makes the function that finds the address of a request, without a slash at its end. The Host has been accepted by then. */
export function createOwnAddressOf({
  publicUrl,
  hosts,
  trustProxy,
}: Addresses): (headers: IncomingHttpHeaders) => string {
  const told = publicUrl?.replace(/\/+$/, '');
  const toldName = told === undefined ? undefined : withoutUsualPort(new URL(told).host);
  const path = told === undefined ? '' : new URL(told).pathname.replace(/\/+$/, '');
  const others = new Set(hosts.map(withoutUsualPort));
  return ({ host = '', 'x-forwarded-proto': proto }) => {
    const asked = host.toLowerCase();
    const name = withoutUsualPort(asked);
    if (told !== undefined && name === toldName) return told;
    if (LOOPBACK.test(asked)) return `${trustProxy && proto === 'https' ? 'https' : 'http'}://${asked}`;
    // https, as nobody signs in over plain HTTP from another machine.
    if (others.has(name)) return `https://${name}${path}`;
    return told ?? 'http://localhost';
  };
}

/**
 * As {@link createOwnAddressOf}, for tokens that another server issues. Every machine has the loopback names, so they stand for the public address,
 * if there is one. A token for a program at some port of its user's own machine is none for this server then, whatever Host a proxy passes on.
 */
export function createPublicAddressOf(addresses: Addresses): (headers: IncomingHttpHeaders) => string {
  const addressOf = createOwnAddressOf(addresses);
  const { host } = new URL(addresses.publicUrl ?? 'http://localhost');
  if (LOOPBACK.test(host)) return addressOf;
  const told = addressOf({ host });
  return (headers) => (LOOPBACK.test(headers.host?.toLowerCase() ?? '') ? told : addressOf(headers));
}
