/** Limits how often one address may present a wrong credential. */
import { isIPv6 } from 'node:net';
import { HttpError } from '../errors.ts';

/**
 * Counts an address's failure, and says whether it did: a credential that it has failed with in this minute counts no more: a class behind one address, with the
 * placeholder of an example left in, is to read why it is refused.
 * @throws {HttpError} 429 above the limit
 */
export type CountFailure = (address: string, fingerprint: string) => boolean;

/** How long failures are counted together, from the first on. Milliseconds. */
const WINDOW_MS = 60_000;

/** So many addresses are known; beyond that the one whose window began first is forgotten. */
const MAX_ADDRESSES = 100_000;

/** The failures of one address. */
interface Window {
  readonly endMs: number;
  failures: number;
  /** What it has failed with, as far as it is remembered. */
  readonly seen: string[];
}

/** So many different credentials are remembered of one address. */
const MAX_SEEN = 30;

/**
 * Makes the counter, by a clock that nobody sets. It lives in memory: several instances count each for itself. `refuse` makes the
 * refusal of an address, for what else is counted so, of the milliseconds that are left of its minute.
 */
export function createFailureCounter(
  failuresPerMinute: number,
  now: () => number = () => performance.now(),
  refuse: (leftMs: number) => HttpError = tooManyFailures,
): CountFailure {
  // In the order in which the windows began, and so end.
  const windows = new Map<string, Window>();
  return (address, fingerprint) => {
    const nowMs = now();
    for (const [known, { endMs }] of windows) {
      if (endMs > nowMs && windows.size < MAX_ADDRESSES) break;
      windows.delete(known);
    }
    const network = networkOf(address);
    const window = windows.get(network) ?? { endMs: nowMs + WINDOW_MS, failures: 0, seen: [] };
    windows.set(network, window);
    if (window.seen.includes(fingerprint)) return false;
    window.failures += 1;
    if (window.failures > failuresPerMinute) throw refuse(window.endMs - nowMs);
    if (window.seen.length < MAX_SEEN) window.seen.push(fingerprint);
    return true;
  };
}

/** The refusal of an address, with the time that is left of its window. */
function tooManyFailures(leftMs: number): HttpError {
  const seconds = Math.max(1, Math.ceil(leftMs / 1000));
  const words = `Too many refused credentials from this address. Correct the token and try again in ${seconds} seconds.`;
  return new HttpError(429, 'too_many_failures', words, {
    headers: { 'Retry-After': String(seconds) },
    facts: { limit: 'AUTH_FAILURES_PER_MINUTE' },
  });
}

/** What counts as one address: of IPv6 the /64, all of which one subscriber has. */
export function networkOf(address: string): string {
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
