/** One after the other: a connection that can do one thing at a time. */
import { busy } from './errors.ts';

/** At most so many wait: with more there is no hope for the last. */
const MAX_WAITING = 1_000;

/** Hands out turns in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Does something when those before it have ended.
   * @throws {StorageUnavailable} when too many wait
   */
  async take<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) throw busy('queue');
    return this.takeAnyway(work);
  }

  /** The same however many wait: for an end, which must not be refused. */
  async takeAnyway<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const turn = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
