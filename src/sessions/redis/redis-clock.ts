/** The time that all processes agree on: that of their Redis. What their own clocks say is never compared. */

/** The time, once it has been read. */
export interface RedisClock {
  /** Milliseconds; undefined until it has been read. */
  readonly nowMs: number | undefined;
  /** Reads it anew. False when that took so long that it says little: then it goes on as it was. */
  read(): Promise<boolean>;
}

/** The time may be wrong by half of what reading it took. Milliseconds. */
const MAX_TOOK_MS = 500;

/** Makes a clock from what Redis says, and one that goes on between readings and that nobody sets. */
export function createRedisClock(ask: () => Promise<number>, now: () => number): RedisClock {
  let aheadMs: number | undefined;
  return {
    get nowMs() {
      return aheadMs === undefined ? undefined : now() + aheadMs;
    },
    async read() {
      const askedMs = now();
      const theirMs = await ask();
      const tookMs = now() - askedMs;
      if (tookMs > MAX_TOOK_MS) return false;
      aheadMs = theirMs - askedMs - tookMs / 2;
      return true;
    },
  };
}
