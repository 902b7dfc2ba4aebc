/** Turns: a connection can do only one thing at a time. */
import { busy } from './errors.ts';

/** How many may wait for their turn: with more the last ones would wait in vain. */
const MAX_WAITING = 1_000;

/** Runs work one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Runs some work after all earlier work has ended.
   * @throws {StorageUnavailable} when too many wait
   */
  async take<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) throw busy('queue');
    return this.takeAnyway(work);
  }

  /** The same, however many wait: for a shutdown, which must not be refused. */
  async takeAnyway<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const turn = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
