/** Tells whether a session of the soak may have ended because it was idle. */

/** After how many seconds the soak's server ends idle sessions. */
export const IDLE_SESSION_SECONDS = 1;

/**
 * Whether an error may mean that the session was idle. A client that the machine keeps from running for so long, between its handshake and
 * the stream that would keep its session, is idle like any other. `quietMs` is the time since it sent its last answered request.
 */
export function mayHaveBeenIdle(words: string, quietMs: number): boolean {
  return words.includes('session_not_found') && quietMs >= IDLE_SESSION_SECONDS * 1000;
}
