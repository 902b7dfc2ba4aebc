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

/**
 * The path that the server has given as seen from the root of its host, as `urlOf` takes it: below the server's address.
 *
 * @param {string} path such as `/my-app/messages?sessionId=1`, of a server that lies under `/my-app`
 */
export function pathBelow(path) {
  const { href } = new URL(path, ADDRESS);
  // A server that was not told what a proxy has put it under leaves that out.
  return href.startsWith(`${SERVER_ADDRESS}/`) ? href.slice(SERVER_ADDRESS.length) : path;
}
