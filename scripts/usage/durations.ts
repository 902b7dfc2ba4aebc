/** How long things took, in bounded memory however many there are: counts by size, to one part in a hundred. */

/** Neighbouring sizes differ by so much. */
const STEP = Math.log(1.02);

/** The least that is told apart. Milliseconds. */
const LEAST_MS = 0.01;

/** A collection of durations. */
export class Durations {
  readonly #counts = new Map<number, number>();
  #total = 0;

  /** Takes one. */
  add(milliseconds: number): void {
    const size = Math.round(Math.log(Math.max(milliseconds, LEAST_MS) / LEAST_MS) / STEP);
    this.#counts.set(size, (this.#counts.get(size) ?? 0) + 1);
    this.#total += 1;
  }

  /** The duration that this part of them does not exceed; null where there are none. Milliseconds. */
  percentile(part: number): number | null {
    let left = Math.ceil(this.#total * part);
    for (const [size, count] of [...this.#counts].toSorted(([one], [other]) => one - other)) {
      left -= count;
      if (left <= 0) return Number((LEAST_MS * Math.exp(size * STEP)).toPrecision(3));
    }
    return null;
  }
}
