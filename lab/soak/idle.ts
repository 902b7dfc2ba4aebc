/** When a session of the soak may have ended because nothing had come from its client. */

/** How soon the soak's server ends idle sessions. */
export const IDLE_SESSION_SECONDS = 1;

/**
 * Whether an error is that end: a client that another program keeps from running for so long, between its handshake and the stream that
 * would hold its session, is idle like any other. `quietMs` have gone by since it asked for what it got last.
 */
export function mayHaveBeenIdle(words: string, quietMs: number): boolean {
  return words.includes('session_not_found') && quietMs >= IDLE_SESSION_SECONDS * 1000;
}
