/** The base path of the server, for servers that a proxy publishes under a path. */
import type { IncomingMessage } from 'node:http';

/** The path of an address, without a slash at its end; empty for most servers. */
export function basePathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}

/**
 * Makes a function that removes the base path from the target of a request, if it is still there: most proxies remove it, some do not.
 * Returns undefined without a base path, so that other servers do not pay for it.
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
