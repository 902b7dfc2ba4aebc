/** The client of the API for admins. The token is kept here and nowhere else. */
import { asObject } from '../page/mcp-messages.js';

// oxlint-disable typescript/no-unsafe-type-assertion -- answers of this page's own server, whose forms its tests hold

/** A refusal, in the server's own words. */
export class ApiError extends Error {
  /** Whether the token was refused. */
  isRefusal = false;
  /** The server's error code. */
  code = '';
}

/**
 * @typedef {{ id: string, userId: string, name: string, scopes: string[] | null, expiresAt: string | null, state: string, version: string, lastUse: string | null, calls: number[] }} TokenFacts
 * @typedef {{ id: string, userId: string, name: string, token: string, link: string }} MadeToken
 * @typedef {{ store: { kind: string, fixedBecause: string | null }, scopes: string[], usage: string, tokens: TokenFacts[] }} PeopleList
 * @typedef {{ tokens: MadeToken[], skipped?: number, warning?: string }} Made
 * @typedef {{ session: string, userId: string, transport: string, client: string | null, hasStream: boolean, callsInFlight: number }} SessionFacts
 */

/**
 * Makes the client of a token. When the sign-in ends, its requests are aborted, and their answers are dropped.
 *
 * @param {string} token
 * @param {AbortSignal} signedIn aborted when the sign-in is over
 */
export function createApi(token, signedIn) {
  /**
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<unknown>}
   */
  const ask = async (path, body) => {
    const headers = headersWith(token);
    let response;
    try {
      response = await fetch(new URL(`api/${path}`, import.meta.url), {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        credentials: 'omit',
        cache: 'no-store',
        signal: signedIn,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new ApiError('The server cannot be reached. Is it still running?', { cause });
    }
    /** @type {unknown} */
    const answer = await response.json().catch(() => ({}));
    // An answer that has arrived already may be read to its end after an abort.
    signedIn.throwIfAborted();
    if (response.ok) return answer;
    const { error, error_description: words } = asObject(answer) ?? {};
    const problem = typeof words === 'string' ? words : `The server answered with ${response.status}.`;
    throw Object.assign(new ApiError(problem), {
      isRefusal: [401, 403].includes(response.status),
      code: typeof error === 'string' ? error : '',
    });
  };
  return {
    people: async () => /** @type {PeopleList} */ (await ask('people')),
    /** @param {unknown} wish */
    create: async (wish) => /** @type {Made} */ (await ask('tokens', wish)),
    /** @param {unknown} wish */
    change: async (wish) => /** @type {Made} */ (await ask('tokens/change', wish)),
    sessions: async () => /** @type {{ sessions: SessionFacts[] }} */ (await ask('sessions')).sessions,
    /** @param {string} session */
    endSession: async (session) => ask('sessions/end', { session }),
  };
}

/**
 * The headers of a request.
 *
 * @param {string} token
 */
function headersWith(token) {
  try {
    return new Headers({ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' });
  } catch (cause) {
    throw new ApiError('The token contains a character that a token cannot contain. Copy it again.', {
      cause,
    });
  }
}

/** @typedef {ReturnType<typeof createApi>} Api */
