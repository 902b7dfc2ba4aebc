/** Limits how often one address may present a wrong credential. */
import { isIPv6 } from 'node:net';
import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpError } from '../errors.ts';

/** Counts an address's failure; rejects with a 429 {@link HttpError} above the limit. */
export type CountFailure = (address: string) => Promise<void>;

/** Makes the counter. It lives in memory: several instances count each for itself. */
export function createFailureCounter(failuresPerMinute: number): CountFailure {
  let loading: Promise<Limiter> | undefined;
  return async (address) => {
    loading ??= loadLimiter(failuresPerMinute);
    const { limiter, RateLimiterRes: Refusal } = await loading;
    try {
      await limiter.consume(networkOf(address));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      const words = `Too many refused credentials from this address. Correct the token and try again in ${seconds} seconds.`;
      throw new HttpError(429, 'too_many_failures', words, { headers: { 'Retry-After': String(seconds) } });
    }
  };
}

/** A counter, and the class of what it rejects with above the limit. */
interface Limiter {
  readonly limiter: RateLimiterMemory;
  readonly RateLimiterRes: typeof RateLimiterRes;
}

/** Loads the package with the first failure: it has an adapter for a dozen databases, and no start should wait for them. */
async function loadLimiter(failuresPerMinute: number): Promise<Limiter> {
  const loaded = await import('rate-limiter-flexible');
  const limiter = new loaded.RateLimiterMemory({ points: failuresPerMinute, duration: 60 });
  return { limiter, RateLimiterRes: loaded.RateLimiterRes };
}

/** What counts as one address: of IPv6 the /64, all of which one subscriber has. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const bare = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
  if (!isIPv6(bare)) return bare;
  // `::` stands for as many zeros as are missing: without them the host's part would count as the network's.
  const [left = [], right = []] = bare
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
