/** The failures of a check, and the deadline that keeps a check from waiting for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A check failed: what was seen, and what to do about it. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  readonly advice: string;

  constructor(problem: string, advice: string, options?: ErrorOptions) {
    super(problem, options);
    this.advice = advice;
  }
}

/** No HTTP answer came at all, so that nothing else can be checked. */
export class Unreachable extends CheckFailure {}

/**
 * Waits for `work`, but no longer than `timeoutMs`.
 * @throws the error that `late` makes, when the time is up
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
    // The abort rejects this promise, which nobody awaits any more.
    tooLate.catch(() => undefined);
  }
}
