/** What a check can come to besides passing, and the deadline that keeps it from waiting for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

/** The check failed: what was seen, and what to do about it. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  readonly advice: string;

  constructor(problem: string, advice: string, options?: ErrorOptions) {
    super(problem, options);
    this.advice = advice;
  }
}

/** No HTTP answer came at all: nothing else can be checked either. */
export class Unreachable extends CheckFailure {}

/**
 * The outcome of `work`, unless it takes longer than `timeoutMs`.
 * @throws what `late` makes when it does
 */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  const timer = new AbortController();
  const tooLate = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw late();
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    timer.abort();
    // Aborting rejects it, and nobody is left to hear that.
    tooLate.catch(() => undefined);
  }
}
