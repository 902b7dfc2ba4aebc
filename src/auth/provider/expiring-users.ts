/** Until when each user may have sessions: the latest end of the tokens that have been seen of that user. */
import { SKEW_MS } from './claims.ts';

/** So many users are known; beyond that, who came longest ago is forgotten, and comes back with the next request. */
const MAX_USERS = 100_000;

/** The users that have been here. */
export class ExpiringUsers {
  readonly #untilMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes a token of a user. */
  note(userId: string, expiresAtMs: number): void {
    const latest = Math.max(this.#untilMs.get(userId) ?? -Infinity, expiresAtMs);
    this.#untilMs.delete(userId);
    for (const oldest of this.#untilMs.keys()) {
      if (this.#untilMs.size < MAX_USERS) break;
      this.#untilMs.delete(oldest);
    }
    this.#untilMs.set(userId, latest);
  }

  /** Whether a token of the user is good. */
  isValid(userId: string): boolean {
    const untilMs = this.#untilMs.get(userId);
    return untilMs !== undefined && this.#now() < untilMs + SKEW_MS;
  }
}
