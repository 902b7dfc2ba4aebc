/**
 * What must be remembered of sign-ins, in memory and with a bound: which codes are used, which refresh token of each sign-in is the newest, and which
 * sign-ins have ended. Whatever is forgotten here, the token file still decides about every value.
 */
import { SIGN_IN_ENDED } from '../authenticate.ts';
import { BoundedMap } from '../../bounded-map.ts';
import { OAuthError } from './oauth-error.ts';

/** How long a code is valid. Milliseconds. */
export const CODE_MS = 60_000;

/** The bounds: how many used codes, newest generations and ended sign-ins are remembered. */
const MAX_USED_CODES = 10_000;
const MAX_NEWEST = 50_000;
const MAX_ENDED = 10_000;

/** The memory of a server's sign-ins. A sign-in is known by the `family` in its code and its tokens. */
export interface Families {
  /**
   * Uses up the code of a sign-in. That it is used is remembered until `untilMs`, when it must have expired.
   * @throws {OAuthError} when the code was used before: the sign-in ends, since two have it. Also when the sign-in has ended, or the memory is full
   */
  useCode(family: string, untilMs: number): void;
  /**
   * Uses a refresh token, and returns the generation of the one that follows it.
   * @throws {OAuthError} when the token is too old to be the client's own: the sign-in ends, since two have it. Also when the sign-in has ended
   */
  useRefresh(family: string, generation: number): number;
  hasEnded(family: string): boolean;
  /** Ends a sign-in. Resolves when all listeners have finished. */
  end(family: string): Promise<void>;
  /** Notes that a sign-in has ended elsewhere. */
  noteEnded(family: string): void;
  /** Calls `listener` with each sign-in that ends here. */
  onEnd(listener: (family: string) => unknown): void;
}

/** Makes the memory. `now` is the clock by which it takes ages: it may be the one that gives the values their times. */
export function createFamilies(now: () => number = Date.now): Families {
  /** Until when each used code is remembered. */
  const usedCodes = new Map<string, number>();
  /** The newest generation of each sign-in. The sign-in that was used longest ago comes first. */
  const newest = new BoundedMap<string, number>(MAX_NEWEST);
  const ended = new BoundedMap<string, true>(MAX_ENDED);

  const listeners: ((family: string) => unknown)[] = [];

  const noteEnded = (family: string): void => {
    ended.set(family, true);
    newest.delete(family);
  };
  const end = async (family: string): Promise<void> => {
    const isNew = !ended.has(family);
    noteEnded(family);
    if (isNew) await Promise.all(listeners.map((listener) => listener(family)));
  };
  const requireGoing = (family: string): void => {
    if (ended.has(family)) throw new OAuthError('invalid_grant', SIGN_IN_ENDED);
  };
  return {
    useCode(family, untilMs) {
      requireGoing(family);
      if (usedCodes.has(family)) {
        void end(family);
        throw new OAuthError(
          'invalid_grant',
          'The code was used before, so the sign-in has ended. Sign in again.',
        );
      }
      const isFull = usedCodes.size >= MAX_USED_CODES;
      for (const [code, endMs] of usedCodes) {
        if (endMs <= now()) usedCodes.delete(code);
        // Most codes expire in the order in which they were used, those of other processes later.
        else if (!isFull) break;
      }
      if (usedCodes.size >= MAX_USED_CODES)
        throw new OAuthError(
          'temporarily_unavailable',
          'Too many users are signing in at once. Try again in a moment.',
        );
      usedCodes.set(family, untilMs);
    },
    useRefresh(family, generation) {
      requireGoing(family);
      // A sign-in that was forgotten, or was never known here, goes on with the generation that the client presents.
      const current = Math.max(newest.get(family) ?? generation, generation);
      // The one before the newest is accepted, too: a client that asked twice at once, or whose answer was lost, comes back with it. It was used, or
      // there would be no newest; but nobody has used the newest yet.
      if (generation < current - 1) {
        void end(family);
        throw new OAuthError(
          'invalid_grant',
          'The refresh token was used before and has been replaced, so the sign-in has ended. Sign in again.',
        );
      }
      newest.set(family, generation + 1 > current ? generation + 1 : current);
      return generation + 1;
    },
    hasEnded: (family) => ended.has(family),
    end,
    noteEnded,
    onEnd: (listener) => void listeners.push(listener),
  };
}
