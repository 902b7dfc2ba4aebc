/** The address of this page's server: its origin, and the base path, if a proxy has added one. */

// This file is served one folder below the server's address.
const ADDRESS = new URL('..', import.meta.url);

/** The address, without a slash at its end, as in configurations. */
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
 * Turns a path that the server has given, which begins at the root of its host, into one below the server's address, as `urlOf` takes it.
 *
 * @param {string} path such as `/my-app/messages?sessionId=1`, of a server with the base path `/my-app`
 */
export function pathBelow(path) {
  const { href } = new URL(path, ADDRESS);
  // A server that was not told its base path gives paths without it.
  return href.startsWith(`${SERVER_ADDRESS}/`) ? href.slice(SERVER_ADDRESS.length) : path;
}
