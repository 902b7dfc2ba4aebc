/** Limits how often one address may present a wrong credential. */
import { isIPv6 } from 'node:net';
import { HttpError } from '../errors.ts';

/**
 * Counts a failure of an address, and returns whether it counted. The same credential counts once a minute: a class behind one address that
 * has left the placeholder of an example in is to read why it is refused.
 * @throws {HttpError} 429 above the limit
 */
export type CountFailure = (address: string, fingerprint: string) => boolean;

/** How long failures are counted together, from the first on. Milliseconds. */
const WINDOW_MS = 60_000;

/** How many addresses are remembered; beyond that the one whose window began first is dropped. */
const MAX_ADDRESSES = 100_000;

/** The failures of one address. */
interface Window {
  readonly endMs: number;
  failures: number;
  /** The fingerprints of the credentials that have counted. */
  readonly seen: string[];
}

/** How many fingerprints are remembered of one address. */
const MAX_SEEN = 30;

/** The refusal of an address above the limit. */
export interface TooMany {
  readonly code: string;
  /** What was too much and what to do, in words that go on with "in 5 seconds". */
  readonly words: string;
}

const TOO_MANY_FAILURES: TooMany = {
  code: 'too_many_failures',
  words: 'Too many refused credentials from this address. Correct the token and try again',
};

/** What a counter is made with. */
export interface FailureCounterOptions {
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
  /** For other uses of the counter. Default: that of refused credentials. */
  readonly tooMany?: TooMany;
}

/** Makes a counter. It lives in memory, so that each process counts by itself. */
export function createFailureCounter(
  failuresPerMinute: number,
  { now = () => performance.now(), tooMany = TOO_MANY_FAILURES }: FailureCounterOptions = {},
): CountFailure {
  // In the order in which the windows began, and so will end.
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
    if (window.failures > failuresPerMinute) throw refusalOf(tooMany, window.endMs - nowMs);
    if (window.seen.length < MAX_SEEN) window.seen.push(fingerprint);
    return true;
  };
}

/** The refusal of an address, with the time that is left of its window. */
function refusalOf({ code, words }: TooMany, leftMs: number): HttpError {
  const seconds = Math.max(1, Math.ceil(leftMs / 1000));
  return new HttpError(429, code, `${words} in ${seconds} seconds.`, {
    headers: { 'Retry-After': String(seconds) },
    facts: { limit: 'AUTH_FAILURES_PER_MINUTE' },
  });
}

/** What counts as one address: of IPv6 the /64, which belongs to one subscriber. */
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
