/** Recent use, as the page for admins shows it; here it is counted in memory, since the start. */
import { dayOf, followCalls, UseCounts } from './use-counts.ts';

/** What is known of recent use. */
export interface Usage {
  /** Tells people what is counted, and since when. */
  readonly words: string;
  /** The moment a token was last used for a call, as ISO 8601; null when that is not known. */
  lastUseOf(tokenId: string): string | null;
  /** A user's calls on each of the last days, the latest last. */
  callsOf(userId: string): readonly number[];
  /** Reads what other processes have counted. Never rejects. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Starts counting in memory. */
export function createUsage(now: () => number = Date.now): Usage {
  const counts = new UseCounts();
  const stop = followCalls((event) => counts.noteCall(event, now()));
  return {
    words:
      'Last use and calls are counted by the process that answered this page, since its start. With a database (DATABASE_URL), they are kept and include all processes.',
    lastUseOf: (tokenId) => momentOrNull(counts.lastUseOf(tokenId)),
    callsOf: (userId) => counts.callsOf(userId, dayOf(now())),
    refresh: async () => {},
    close: async () => stop(),
  };
}

/** A moment as ISO 8601; null for undefined. */
export function momentOrNull(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString();
}
