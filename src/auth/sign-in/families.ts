/**
 * What must be remembered of sign-ins, in memory and with a bound: which codes are used, which refresh token of each sign-in is the
 * newest, and which sign-ins have ended. What the token file says counts whatever is forgotten here.
 */
import { SIGN_IN_ENDED } from '../authenticate.ts';
import { BoundedMap } from '../bounded-map.ts';
import { OAuthError } from './oauth-error.ts';

/** A code is good for a minute. Milliseconds. */
export const CODE_MS = 60_000;

/** The bounds. */
const MAX_USED_CODES = 10_000;
const MAX_NEWEST = 50_000;
const MAX_ENDED = 10_000;

/** The memory of a server's sign-ins. A sign-in is named by the code that began it. */
export interface Families {
  /**
   * Uses a sign-in's code, which is known as used until a time: it must be nothing by then.
   * @throws {OAuthError} when it has been used: whatever came of it ends, since two have it
   */
  useCode(family: string, untilMs: number): void;
  /**
   * Uses a refresh token, and returns the generation of the one that follows it.
   * @throws {OAuthError} when it is too old to be the client's: the sign-in ends, since two have it
   */
  useRefresh(family: string, generation: number): number;
  hasEnded(family: string): boolean;
  /** Ends a sign-in. Resolves when all who listen have dealt with it. */
  end(family: string): Promise<void>;
  /** Notes that a sign-in has ended elsewhere. */
  noteEnded(family: string): void;
  /** Calls `listener` with each sign-in that ends here. */
  onEnd(listener: (family: string) => unknown): void;
}

/** Makes the memory. Ages are taken by the clock that is passed, so that it may be the one that values are stamped by. */
export function createFamilies(now: () => number = Date.now): Families {
  /** Until when each is known as used. */
  const usedCodes = new Map<string, number>();
  /** The newest generation of each sign-in, the one used longest ago first. */
  const newest = new BoundedMap<string, number>(MAX_NEWEST);
  const ended = new Set<string>();

  const listeners: ((family: string) => unknown)[] = [];

  const noteEnded = (family: string): void => {
    ended.delete(family);
    ended.add(family);
    newest.delete(family);
    for (const oldest of ended) {
      if (ended.size <= MAX_ENDED) break;
      ended.delete(oldest);
    }
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
        // Most end in the order in which they came; those of another process later.
        else if (!isFull) break;
      }
      if (usedCodes.size >= MAX_USED_CODES)
        throw new OAuthError(
          'temporarily_unavailable',
          'Many are signing in at once. Try again in a moment.',
        );
      usedCodes.set(family, untilMs);
    },
    useRefresh(family, generation) {
      requireGoing(family);
      // What was forgotten, or never known here, is taken up where it comes back.
      const current = Math.max(newest.get(family) ?? generation, generation);
      // The one before the newest was used, or the newest would not be there; but the newest was not. A client that asked twice at
      // once, or whose answer was lost, comes back with it.
      if (generation < current - 1) {
        void end(family);
        throw new OAuthError(
          'invalid_grant',
          'The refresh token was replaced long ago, so the sign-in has ended. Sign in again.',
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
