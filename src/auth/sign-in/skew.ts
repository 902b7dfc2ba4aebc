/** Until when what one process made counts at another, whose clock may differ: it would be over before it came, or not begun. */

/** The clocks of two processes may differ by so much: each may be wrong by five minutes, as for the ids of sessions. Milliseconds. */
export const MAX_SKEW_MS = 600_000;

/** What is good for minutes, and names the process that has made it; no name in what an older version made. */
export interface ShortLived {
  readonly expiresAtMs: number;
  readonly madeBy: string | undefined;
}

/** When it is over: to the millisecond where it was made, and as much later as clocks may differ elsewhere. */
export function endOf({ expiresAtMs, madeBy }: ShortLived, self: string): number {
  return madeBy === self ? expiresAtMs : expiresAtMs + MAX_SKEW_MS;
}
