/** Where this page's server is: its origin, and the path that a proxy may have put it under. */

// This file lies one folder below the server's address, whatever that is.
const ADDRESS = new URL('..', import.meta.url);

/** The address, without a slash at its end, as configurations have it. */
export const SERVER_ADDRESS = ADDRESS.href.replace(/\/$/, '');

/**
 * The URL of a path of the server.
 *
 * @param {string} path such as `/mcp`
 */
export function urlOf(path) {
  return `${SERVER_ADDRESS}${path}`;
}
