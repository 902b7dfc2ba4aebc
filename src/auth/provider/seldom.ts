/** Fetches something rarely, such as keys: once at a time and at most every half minute, sooner after a failure. The last value stays in use. */
import { ProviderUnreachable } from './refusals.ts';

/** Something that is fetched rarely. */
export interface Seldom<Value> {
  /** The latest value, fetched if there is none yet. Rejects with {@link ProviderUnreachable}. */
  get(): Promise<Value>;
  /** Fetches again, if it is time, because something is missing in the latest value. Rejects when the latest try has failed. */
  renew(): Promise<Value>;
  /** The latest value, if there is one. */
  readonly latest: Value | undefined;
}

/** How something is fetched. */
export interface SeldomOptions<Value> {
  readonly fetch: () => Promise<Value>;
  /** Told why a try has failed. */
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/** The pause between two fetches. Milliseconds. */
const PAUSE_MS = 30_000;

/** The pause after a first failure, as the source may soon be back. It doubles with each failure, up to the usual pause. Milliseconds. */
const FIRST_RETRY_MS = 1_000;

/** The age at which a value is fetched again by itself. Milliseconds. */
const FRESH_MS = 10 * 60_000;

/** Makes something that is fetched rarely. */
export function createSeldom<Value>({ fetch, onFailure, now }: SeldomOptions<Value>): Seldom<Value> {
  let latest: { readonly value: Value; readonly atMs: number } | undefined;
  let mayAskAtMs = -Infinity;
  let failures = 0;
  let underWay: Promise<void> | undefined;

  /** Fetches now. Never rejects. */
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
  /** Fetches, unless that was done a moment ago. Callers in the meantime wait for the same fetch. */
  const ask = async (): Promise<void> => {
    if (underWay === undefined && now() < mayAskAtMs) return;
    mayAskAtMs = now() + PAUSE_MS;
    underWay ??= askNow();
    await underWay;
  };
  /** The error that says when to try again. */
  const unreachable = (): ProviderUnreachable =>
    new ProviderUnreachable(Math.max(1, Math.ceil((mayAskAtMs - now()) / 1000)));
  return {
    get latest() {
      return latest?.value;
    },
    async get() {
      if (latest === undefined) {
        await ask();
        // Even a value that has just come may lack a key that was made a moment ago: `renew` may fetch at once.
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

/** Why a fetch failed. The cause of an error of fetch() says more than its message. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
