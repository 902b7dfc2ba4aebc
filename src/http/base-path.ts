/** The path of the server's public address: what stands in front of every path, where a proxy has put the server under one. */
import type { IncomingMessage } from 'node:http';

/** The path of an address, without a slash at its end: empty for nearly every server. */
export function basePathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}

/**
 * Makes what takes the base path off a request, where it is still there: most proxies that put a server under a path take it off, some do not.
 * Undefined without such a path, so that nobody else pays for it.
 */
export function createBasePathRemoval(basePath: string): ((request: IncomingMessage) => void) | undefined {
  if (basePath === '') return undefined;
  return (request) => {
    const { url = '' } = request;
    if (!url.startsWith(basePath)) return;
    const rest = url.slice(basePath.length);
    if (rest === '' || rest.startsWith('?')) request.url = `/${rest}`;
    else if (rest.startsWith('/')) request.url = rest;
  };
}
