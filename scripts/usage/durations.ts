/** A histogram of durations in bounded memory; percentiles are exact to about one in a hundred. */

/** The width of a bucket, as the logarithm of the ratio of its bounds. */
const STEP = Math.log(1.02);

/** Shorter durations count as this long. Milliseconds. */
const LEAST_MS = 0.01;

/** A collection of durations. */
export class Durations {
  readonly #counts = new Map<number, number>();
  #total = 0;

  /** Adds a duration. */
  add(milliseconds: number): void {
    const size = Math.round(Math.log(Math.max(milliseconds, LEAST_MS) / LEAST_MS) / STEP);
    this.#counts.set(size, (this.#counts.get(size) ?? 0) + 1);
    this.#total += 1;
  }

  /** The duration that this part of all durations does not exceed; null when there are none. Milliseconds. */
  percentile(part: number): number | null {
    let left = Math.ceil(this.#total * part);
    for (const [size, count] of [...this.#counts].toSorted(([one], [other]) => one - other)) {
      left -= count;
      if (left <= 0) return Number((LEAST_MS * Math.exp(size * STEP)).toPrecision(3));
    }
    return null;
  }
}
