/** What the peers share: the credential check, the tools' texts, the port. */

/** The user of each credential: one look-up per request, as in the floor. */
const USERS = new Map([['Bearer tok_bench_0000000', { userId: 'user0', name: 'User 0' }]]);

/**
 * The user of an Authorization header; undefined when there is none.
 *
 * @param {string | null | undefined} authorization
 */
export function userOf(authorization) {
  return USERS.get(authorization ?? '');
}

/** The port to listen on. */
export const PORT = Number(process.env.PORT);

/**
 * The answer of get_greeting.
 *
 * @param {{ name?: string | undefined }} input
 */
export function greet({ name }) {
  return `Hello, ${name ?? 'User 0'}!`;
}

export const DESCRIPTIONS = {
  get_greeting: 'Returns a friendly greeting for a name, or for the current user when no name is given.',
  echo_message: 'Returns the given message unchanged.',
};
