/** The places of tools with `concurrency`, and the lines of the calls that wait for one. */
import { LimitReached } from './limited-run.ts';
import type { Tool } from './tool.ts';

/** How many calls may wait for one tool. */
const MAX_WAITING = 1_000;

/** Gives a place back. */
export type LeavePlace = () => void;

/** The places of every tool of one server definition. */
export class ToolPlaces {
  readonly #lines = new Map<Tool, Line>();

  /**
   * Waits for a place. Users take turns, however many calls each of them has waiting.
   * @throws {LimitReached} when too many wait already; else the signal's reason, when it is aborted meanwhile
   */
  async enter(tool: Tool, userId: string, signal: AbortSignal): Promise<LeavePlace> {
    const line = this.#lines.get(tool) ?? new Line(tool.concurrency ?? Infinity);
    this.#lines.set(tool, line);
    if (!line.tryEnter()) {
      if (line.waiting >= MAX_WAITING) {
        throw new LimitReached(
          'too_many_calls',
          `too_many_calls: ${MAX_WAITING} calls wait for ${tool.name}. Try again later.`,
        );
      }
      await line.wait(userId, signal);
    }
    return () => line.leave();
  }
}

/** A call that waits for a place. */
interface Waiter {
  readonly userId: string;
  readonly call: () => void;
}

/** The places of one tool. */
class Line {
  waiting = 0;
  #free: number;
  /** By user, in the order of their turns; a user without a waiting call is not in it. */
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Takes a place if there is one. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Resolves when a place has been handed over. */
  async wait(userId: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#remove(waiter);
        // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is whatever the signal was aborted with
        reject(signal.reason);
      };
      // The listener is not removed: the signal belongs to the call and goes with it, and giving up a turn that has come does nothing.
      const waiter: Waiter = { userId, call: resolve };
      this.#waiters.set(userId, (this.#waiters.get(userId) ?? new Set()).add(waiter));
      this.waiting += 1;
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
    });
  }

  /** Hands the place to the call whose turn it is, or keeps it free. */
  leave(): void {
    const [first] = this.#waiters.values();
    const [next] = first ?? [];
    if (first === undefined || next === undefined) {
      this.#free += 1;
      return;
    }
    this.#remove(next);
    // The user's other calls go to the end of the line.
    if (this.#waiters.delete(next.userId)) this.#waiters.set(next.userId, first);
    next.call();
  }

  #remove(waiter: Waiter): void {
    const own = this.#waiters.get(waiter.userId);
    if (own?.delete(waiter) !== true) return;
    this.waiting -= 1;
    if (own.size === 0) this.#waiters.delete(waiter.userId);
  }
}
