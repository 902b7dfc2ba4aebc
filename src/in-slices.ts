/** Long computations, written as generators that yield now and then: run at once, or with other work in between. */

/** A computation that may be interrupted wherever it yields. */
export type Steps<Result> = Generator<undefined, Result>;

/** How long a slice may take: the garbage collection of what it made may stop everything for several times as long. Milliseconds. */
const SLICE_MS = 2;

/** Runs a computation to its end. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Runs a computation in slices, between which requests that wait get their turn. */
export async function runInSlices<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const endMs = performance.now() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < endMs);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
