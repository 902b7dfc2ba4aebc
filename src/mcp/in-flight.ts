/** The requests in flight: the workers, which know the grant of each request, and how many tool calls of each user are running. */
import type { Grant } from '../auth/verifier.ts';
import { ToolPlaces } from './tool-places.ts';

/** Something that works on requests. A session joins once for its whole life, since recording every request here would make each of them slower. */
export interface Worker {
  /** Aborts the requests whose grant is not current. Their clients are told that the token is no longer valid. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void;
}

/** With more users than this, those without a running call are removed. Below it they stay: adding a user anew with each call takes a microsecond. */
const MAX_IDLE_USERS = 1_000;

/** The requests in flight of one server definition. */
export class InFlight {
  /** How many tool calls of one user may run at once, over all sessions and transports. */
  readonly maxCallsPerUser: number;
  /** Where calls of a tool with `concurrency` wait for their turn. */
  readonly places = new ToolPlaces();
  readonly #workers = new Set<Worker>();
  /** By user; some have no call running, see {@link MAX_IDLE_USERS}. */
  readonly #callsOf = new Map<string, number>();

  constructor(maxCallsPerUser: number) {
    this.maxCallsPerUser = maxCallsPerUser;
  }

  /** Adds a worker, until `leave`. */
  join(worker: Worker): void {
    this.#workers.add(worker);
  }

  /** Removes a worker. */
  leave(worker: Worker): void {
    this.#workers.delete(worker);
  }

  /** Aborts the requests whose grant is not current. */
  endRevoked(isCurrent: (grant: Grant) => boolean): void {
    for (const worker of this.#workers) worker.endRevoked(isCurrent);
  }

  /** How many tool calls are running. */
  get calls(): number {
    return [...this.#callsOf.values()].reduce((sum, calls) => sum + calls, 0);
  }

  /** Takes a place for a user's call; false when all the user's places are taken. A call keeps its place until its tool has really ended. */
  takePlace(userId: string): boolean {
    const calls = this.#callsOf.get(userId) ?? 0;
    if (calls >= this.maxCallsPerUser) return false;
    this.#callsOf.set(userId, calls + 1);
    return true;
  }

  /** Releases one of a user's places. */
  givePlaceBack(userId: string): void {
    const left = (this.#callsOf.get(userId) ?? 1) - 1;
    if (left === 0 && this.#callsOf.size > MAX_IDLE_USERS) this.#callsOf.delete(userId);
    else this.#callsOf.set(userId, left);
  }
}
