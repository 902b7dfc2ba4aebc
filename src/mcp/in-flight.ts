/** What is under way: who works on requests, each with the grant that it came with, and how many tool calls every user has running. */
import type { Grant } from '../auth/verifier.ts';
import { ToolPlaces } from './tool-places.ts';

/** Works on requests: a session for as long as it lives, since to note each of its requests here would cost each of them. */
export interface Worker {
  /** Aborts the requests whose grant is not current; instead of the result, who waits is told that the token is not valid any more. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void;
}

/** From so many users on, those who have no call running are forgotten. To forget and know one anew with each call takes a microsecond. */
const MAX_IDLE_USERS = 1_000;

/** Everything of one server definition that is under way. */
export class InFlight {
  /** So many tool calls of one user may run at once, over all sessions and transports. */
  readonly maxCallsPerUser: number;
  /** Where calls of a tool with `concurrency` wait for their turn. */
  readonly places = new ToolPlaces();
  readonly #workers = new Set<Worker>();
  /** With users who have none running, as long as they are few. */
  readonly #callsOf = new Map<string, number>();

  constructor(maxCallsPerUser: number) {
    this.maxCallsPerUser = maxCallsPerUser;
  }

  /** Notes somebody who may have requests to work on, until `leave`. */
  join(worker: Worker): void {
    this.#workers.add(worker);
  }

  /** Notes that there are none any more. */
  leave(worker: Worker): void {
    this.#workers.delete(worker);
  }

  /** Aborts the requests whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    for (const worker of this.#workers) worker.endRevoked(isCurrent);
  }

  /** How many calls are running. */
  get calls(): number {
    return [...this.#callsOf.values()].reduce((sum, calls) => sum + calls, 0);
  }

  /** Takes a place for a user's call; false when the user has no more. A call keeps it until its tool has really ended. */
  takePlace(userId: string): boolean {
    const calls = this.#callsOf.get(userId) ?? 0;
    if (calls >= this.maxCallsPerUser) return false;
    this.#callsOf.set(userId, calls + 1);
    return true;
  }

  /** Gives a place back. */
  givePlaceBack(userId: string): void {
    const left = (this.#callsOf.get(userId) ?? 1) - 1;
    if (left === 0 && this.#callsOf.size > MAX_IDLE_USERS) this.#callsOf.delete(userId);
    else this.#callsOf.set(userId, left);
  }
}
