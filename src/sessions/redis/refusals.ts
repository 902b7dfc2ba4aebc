/** What the log says of a Redis that cannot be reached, or refuses to keep what it is told. */
import type { Logger } from 'pino';

/** How often the log repeats that Redis cannot be reached, or refuses something. Milliseconds. */
export const REPORT_MS = 60_000;

/** Whether Redis takes writes, and the log of it. */
export interface Refusals {
  /** Whether the last write was refused. */
  readonly isRefused: boolean;
  /** Notes that a write was refused, and logs why once in a while. */
  refuse(error: unknown): void;
  /** Notes that a write was taken. */
  take(): void;
}

/** Begins to note what Redis refuses. */
export function createRefusals(log: Logger, now: () => number): Refusals {
  let reportedAtMs: number | undefined;
  return {
    get isRefused() {
      return reportedAtMs !== undefined;
    },
    refuse(error) {
      const nowMs = now();
      if (reportedAtMs !== undefined && nowMs - reportedAtMs < REPORT_MS) return;
      reportedAtMs = nowMs;
      log.warn({ reason: reasonOf(error) }, 'redis refuses writes');
    },
    take() {
      if (reportedAtMs !== undefined) log.info('redis takes writes again');
      reportedAtMs = undefined;
    },
  };
}

/**
 * The code of an error, such as `ECONNREFUSED`, `WRONGPASS` or `OOM`, or the words of an `ERR` of Redis, such as `ERR DB index is out of range`.
 * The rest of a message is left out: it may hold an address, and behind a quotation mark what Redis was sent, which may be the password.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  return /^(?:ERR(?: \w{1,20}){1,8}|[A-Z]{3,}\b)/.exec(error.message)?.[0] ?? error.constructor.name;
}
