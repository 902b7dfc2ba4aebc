/** Who has used what lately: the last use of each token, and the calls of each user by day. In memory, since the start. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CALL_ENDED, type CallEvent } from '../../mcp/call-records.ts';

/** Days that are counted. */
const DAYS = 7;

/** A bound for what is remembered: more users than a token file has. */
const MAX_NAMES = 100_000;

/** What is known of use. */
export interface Usage {
  /** For people: of what, and since when. */
  readonly words: string;
  /** The moment a token was last used for a call, as ISO 8601; null when that was before the start, or never. */
  lastUseOf(tokenId: string): string | null;
  /** A user's calls on each of the last days, the latest last. */
  callsOf(userId: string): readonly number[];
  close(): void;
}

/** Begins to count. */
export function createUsage(now: () => number = Date.now): Usage {
  const lastUse = new Map<string, number>();
  const calls = new Map<string, Map<number, number>>();
  const onCall = (message: unknown): void => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what that channel carries
    const { userId, tokenId } = message as CallEvent;
    const nowMs = now();
    if (tokenId !== undefined && (lastUse.has(tokenId) || lastUse.size < MAX_NAMES))
      lastUse.set(tokenId, nowMs);
    if (!calls.has(userId) && calls.size >= MAX_NAMES) return;
    const days = calls.get(userId) ?? new Map<number, number>();
    const today = dayOf(nowMs);
    days.set(today, (days.get(today) ?? 0) + 1);
    for (const day of days.keys()) if (day <= today - DAYS) days.delete(day);
    calls.set(userId, days);
  };
  subscribe(CALL_ENDED, onCall);
  return {
    words: 'Last use and calls are counted by the process that answered this page, since its start.',
    lastUseOf(tokenId) {
      const atMs = lastUse.get(tokenId);
      return atMs === undefined ? null : new Date(atMs).toISOString();
    },
    callsOf(userId) {
      const today = dayOf(now());
      const days = calls.get(userId);
      return Array.from({ length: DAYS }, (_, index) => days?.get(today - DAYS + 1 + index) ?? 0);
    },
    close: () => void unsubscribe(CALL_ENDED, onCall),
  };
}

/** The day of a moment, UTC, as a number. */
function dayOf(atMs: number): number {
  return Math.floor(atMs / 86_400_000);
}
