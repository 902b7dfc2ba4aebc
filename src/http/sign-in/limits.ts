/** What one address may do so often in a minute, though it is no guess: what a client begins with costs memory, or a look elsewhere. */
import { HttpError } from '../errors.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** Makes what counts something: so much of it in a minute for each wrong credential that an address may send in one. */
export type CreateLimit = (perFailure: number, refuse: (leftMs: number) => HttpError) => CountFailure;

/** Makes the refusal of an address that does something too often; `leftMs` are left of its minute. */
export function tooOften(code: string, what: string): (leftMs: number) => HttpError {
  return (leftMs) => {
    const seconds = Math.max(1, Math.ceil(leftMs / 1000));
    return new HttpError(429, code, `${what} from this address. Try again in ${seconds} seconds.`, {
      headers: { 'Retry-After': String(seconds) },
      facts: { limit: 'AUTH_FAILURES_PER_MINUTE' },
    });
  };
}
