/** Checks that credentials which must open nothing are refused: in other headers, in the address, and almost right. */
import { ask, type Request, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Face } from './reachability.ts';
import { protectedRoutes, requireChallenge, WRONG_TOKEN } from './refusals.ts';
import type { Passed } from './steps.ts';

// Each refused credential counts against AUTH_FAILURES_PER_MINUTE (default 60): with all other steps a run stays below 25.

const BASIC = `Basic ${Buffer.from('smoke-test:wrong').toString('base64')}`;

/** Checks that every protected route refuses a wrong API key, and a Basic login. */
export async function checkOtherHeaders(target: Target, face: Face): Promise<Passed> {
  const wrong: readonly Request['headers'][] = [{ 'x-api-key': WRONG_TOKEN }, { Authorization: BASIC }];
  for (const headers of wrong)
    for (const [path, request] of protectedRoutes(face))
      requireChallenge(
        await ask(target, path, { ...request, headers: { ...headers } }),
        `${path.split('?')[0] ?? path} (${Object.keys(headers ?? {}).join()})`,
      );
  return { detail: 'x-api-key, and Basic' };
}

/** Names of query parameters that servers have been seen to take a credential from. */
const QUERY_NAMES = [
  'token',
  'access_token',
  'api_key',
  'apikey',
  'api-key',
  'x-api-key',
  'key',
  'auth',
  'authorization',
  'bearer',
  'mcp_token',
];

/**
 * Checks that the query string is not read for a token, since addresses end up in logs and histories. It sends a wrong token, so that
 * no real one ends up there: a server that reads it reports an invalid token instead of a missing one.
 */
export async function checkQueryCredential(target: Target, face: Face): Promise<Passed> {
  for (const [path, request] of protectedRoutes(face)) {
    const challengeOf = async (names: readonly string[]): Promise<string> => {
      const query = names.map((name) => `${name}=${WRONG_TOKEN}`).join('&');
      const address = `${path}${path.includes('?') ? '&' : '?'}${query}`;
      return requireChallenge(await ask(target, address, request), `${path.split('?')[0] ?? path}?…`);
    };
    if (!(await challengeOf(QUERY_NAMES)).includes('error=')) continue;
    const read = [];
    for (const name of QUERY_NAMES) if ((await challengeOf([name])).includes('error=')) read.push(name);
    throw new CheckFailure(
      `A credential is read from the query string of ${path.split('?')[0] ?? path} (${read.join(', ')}).`,
      'Take tokens from headers only: addresses end up in the logs of every proxy on the way. Does a gateway in front turn a parameter into a header?',
    );
  }
  return { detail: `${QUERY_NAMES.length} names, on every protected route` };
}

/** Tokens that differ only a little from the right one; a careless comparison would accept them. */
function nearlyRight(token: string): (readonly [what: string, token: string])[] {
  const half = token.slice(0, Math.ceil(token.length / 2));
  // Of the last character of a JWT perhaps only the first two bits count: this one differs in the first.
  const last = /[g-z0-9_-]$/.test(token) ? 'A' : 'x';
  const all = [
    ['without its last character', token.slice(0, -1)],
    ['with one character more', `${token}x`],
    ['with another last character', `${token.slice(0, -1)}${last}`],
    ['with a wrong second half', half.padEnd(token.length, last)],
    ['in capitals', token.toUpperCase()],
    ['in small letters', token.toLowerCase()],
  ] as const;
  return all.filter(([, near]) => near !== token && near !== '');
}

/** Checks that only the whole, exact token is let in. */
export async function checkNearTokens(target: Target): Promise<Passed> {
  const near = nearlyRight(target.token ?? '');
  for (const [what, token] of near) {
    const answer = await ask(target, '/tools', { token });
    if (answer.status < 300)
      throw new CheckFailure(
        `OPEN: the token ${what} is accepted, too.`,
        'Only a part of a token is compared, or its case is ignored: that makes tokens easy to guess. Compare whole tokens, by their digest. Does a gateway in front accept tokens by a pattern?',
      );
    requireChallenge(answer, `/tools (the token ${what})`);
  }
  return { detail: `${near.length} of them` };
}
