/** Asks for something seldom: once at a time, not again within half a minute, sooner where it did not come; and what came last stays good. */
import { ProviderUnreachable } from './refusals.ts';

/** Something that is asked for. */
export interface Seldom<Value> {
  /** What came last; asked for where nothing has come yet. Rejects with {@link ProviderUnreachable}. */
  get(): Promise<Value>;
  /** Asks again, if that may be, for whoever misses something. Rejects where the last answer is missing too: then nobody can tell. */
  renew(): Promise<Value>;
  /** What came last, if anything has. */
  readonly latest: Value | undefined;
}

/** How something is asked for. */
export interface SeldomOptions<Value> {
  readonly fetch: () => Promise<Value>;
  /** Told why it did not come. */
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/** Between two times of asking. Milliseconds. */
const PAUSE_MS = 30_000;

/** The same after it did not come: whoever gives it may be back in a moment. Twice as long each time, up to the usual pause. Milliseconds. */
const FIRST_RETRY_MS = 1_000;

/** What came is asked for again by itself after so long. Milliseconds. */
const FRESH_MS = 10 * 60_000;

/** Makes it. */
export function createSeldom<Value>({ fetch, onFailure, now }: SeldomOptions<Value>): Seldom<Value> {
  let latest: { readonly value: Value; readonly atMs: number } | undefined;
  let mayAskAtMs = -Infinity;
  let failures = 0;
  let underWay: Promise<void> | undefined;

  /** Asks, whatever comes of it. */
  const askNow = async (): Promise<void> => {
    try {
      latest = { value: await fetch(), atMs: now() };
      failures = 0;
    } catch (error) {
      mayAskAtMs = now() + Math.min(FIRST_RETRY_MS * 2 ** failures, PAUSE_MS);
      failures += 1;
      onFailure(error instanceof Error ? reasonOf(error) : 'unknown error');
    } finally {
      underWay = undefined;
    }
  };
  /** Asks, unless that was a moment ago. Whoever comes meanwhile waits for the same answer. */
  const ask = async (): Promise<void> => {
    if (underWay === undefined && now() < mayAskAtMs) return;
    mayAskAtMs = now() + PAUSE_MS;
    underWay ??= askNow();
    await underWay;
  };
  const unreachable = (): ProviderUnreachable =>
    new ProviderUnreachable(Math.max(1, Math.ceil((mayAskAtMs - now()) / 1000)));
  return {
    get latest() {
      return latest?.value;
    },
    async get() {
      if (latest === undefined) {
        await ask();
        // What has just come may already miss something: a key that was made a moment ago.
        if (failures === 0) mayAskAtMs = -Infinity;
      } else if (now() - latest.atMs >= FRESH_MS) void ask();
      if (latest === undefined) throw unreachable();
      return latest.value;
    },
    async renew() {
      await ask();
      if (failures > 0 || latest === undefined) throw unreachable();
      return latest.value;
    },
  };
}

/** Why something did not come; the cause of fetch's own errors says more than they do. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
