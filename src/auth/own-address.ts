/** Under which of its addresses a request came to this server: that one is told in the documents, and tokens are for it. */
import type { IncomingHttpHeaders } from 'node:http';

/** What the addresses of a server are. */
export interface Addresses {
  /** The one that it tells; with a path where it has one. Absent on a server for its own machine. */
  readonly publicUrl: string | undefined;
  /** The Host headers that are let in besides the loopback names. */
  readonly hosts: readonly string[];
  /** Whether the proxy in front is believed. */
  readonly trustProxy: boolean;
}

/** The paths that clients connect to, and name as what their tokens are for (RFC 8707); `/messages` belongs to one of them. */
export const RESOURCE_PATHS = ['/mcp', '/sse', '/tools'] as const;

/** The names of this machine. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/**
 * A Host without the port that a scheme has anyway: it may be named or not, and means the same (RFC 9110, section 4.2.3). Browsers
 * leave it out of an Origin.
 */
export function withoutUsualPort(host: string): string {
  return host.replace(/:(80|443)$/, '');
}

/** Makes what finds the address of a request, without a slash at its end. The Host has been let in by then. */
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
    // Nobody signs in over plain HTTP from another machine.
    if (others.has(name)) return `https://${name}${path}`;
    return told ?? 'http://localhost';
  };
}

/**
 * The same for tokens that another server gives: each machine has the loopback names, so once there is a public address they stand for
 * that. A token for a program at some port of its user's own machine is then none for this server, whatever Host a front passes on.
 */
export function createPublicAddressOf(addresses: Addresses): (headers: IncomingHttpHeaders) => string {
  const addressOf = createOwnAddressOf(addresses);
  const { host } = new URL(addresses.publicUrl ?? 'http://localhost');
  if (LOOPBACK.test(host)) return addressOf;
  const told = addressOf({ host });
  return (headers) => (LOOPBACK.test(headers.host?.toLowerCase() ?? '') ? told : addressOf(headers));
}
