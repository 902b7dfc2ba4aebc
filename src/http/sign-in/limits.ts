/** Limits for what is no guess, but costs memory or a request to another server: registering clients, and reading documents of clients. */
import { HttpError } from '../errors.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** Makes a counter by address. Its limit in a minute is `perFailure` times the number of wrong credentials that an address may send in one. */
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
