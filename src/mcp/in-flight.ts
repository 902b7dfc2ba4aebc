/** What is under way: each request with the grant that it came with, and how many tool calls every user has running. */
import type { Grant } from '../auth/verifier.ts';
import { ToolPlaces } from './tool-places.ts';

/** A request that is being worked on. */
export interface UnderWay {
  readonly grant: Grant;
  /** Aborts it; instead of its result, who waits is told that the token is not valid any more. */
  revoke(): void;
}

/** So many tool calls of one user may run at once, over all sessions and transports, unless something else is said. */
export const MAX_CALLS_PER_USER = 50;

/** Everything of one server definition that is under way. */
export class InFlight {
  readonly maxCallsPerUser: number;
  /** Where calls of a tool with `concurrency` wait for their turn. */
  readonly places = new ToolPlaces();
  readonly #requests = new Set<UnderWay>();
  /** No larger than the number of calls. */
  readonly #callsOf = new Map<string, number>();

  constructor(maxCallsPerUser: number = MAX_CALLS_PER_USER) {
    this.maxCallsPerUser = maxCallsPerUser;
  }

  /** Notes a request, until `delete`. */
  add(request: UnderWay): void {
    this.#requests.add(request);
  }

  /** Notes that a request is over. */
  delete(request: UnderWay): void {
    this.#requests.delete(request);
  }

  /** Revokes the requests whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    for (const request of this.#requests) if (!isCurrent(request.grant)) request.revoke();
  }

  /** Takes a place for a user's call; false when the user has no more. A call keeps it until its tool has really ended. */
  enter(userId: string): boolean {
    const calls = this.#callsOf.get(userId) ?? 0;
    if (calls >= this.maxCallsPerUser) return false;
    this.#callsOf.set(userId, calls + 1);
    return true;
  }

  /** Gives a place back. */
  leave(userId: string): void {
    const left = (this.#callsOf.get(userId) ?? 1) - 1;
    if (left === 0) this.#callsOf.delete(userId);
    else this.#callsOf.set(userId, left);
  }
}
