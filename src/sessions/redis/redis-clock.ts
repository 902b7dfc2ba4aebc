/** The time that all processes share: that of their Redis. Their own clocks are never compared. */

/** A clock that shows the time of Redis. */
export interface RedisClock {
  /** Milliseconds; undefined until it has been read. */
  readonly nowMs: number | undefined;
  /** Reads the time from Redis. False when that took too long to be exact: then the clock goes on as before. */
  read(): Promise<boolean>;
}

/** The longest that a reading may take: the time may be wrong by half of that. Milliseconds. */
const MAX_TOOK_MS = 500;

/** Makes a clock from `ask`, which reads the time of Redis, and `now`, a monotonic clock for the time between readings. Milliseconds. */
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
