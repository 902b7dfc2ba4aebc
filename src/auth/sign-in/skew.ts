/** How long a value of one process is valid at another, whose clock may differ: there it could seem to have expired already, or not to have begun. */

/** How much the clocks of two processes may differ: each may be wrong by five minutes, as for session ids. Milliseconds. */
export const MAX_SKEW_MS = 600_000;

/** A value that is valid for some minutes, and names the process that has made it; `madeBy` is undefined in values of older versions. */
export interface ShortLived {
  readonly expiresAtMs: number;
  readonly madeBy: string | undefined;
}

/** When a value expires: exactly at that time in the process that has made it, and later by {@link MAX_SKEW_MS} in any other. */
export function endOf({ expiresAtMs, madeBy }: ShortLived, self: string): number {
  return madeBy === self ? expiresAtMs : expiresAtMs + MAX_SKEW_MS;
}
