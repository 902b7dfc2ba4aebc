/** The heartbeat: a comment arrives on a stream where nothing else is sent, or the host's limit on silence is named. */
import type { EventStreamReader } from './event-stream.ts';
import { CheckFailure } from './outcome.ts';
import type { SmokeOptions } from './options.ts';
import type { Passed } from './steps.ts';

/** How much later than its interval a heartbeat may come, at most: the way, and the server's clock of half a second. */
export const SLACK_MS = 3_000;

/** A comment arrives within the interval. One that came with the stream's opening says nothing about silence. */
export async function checkHeartbeat(
  { openedMs, lastByteMs, comments, overMs, waitUntil }: EventStreamReader,
  { heartbeatMs, timeoutMs }: Pick<SmokeOptions, 'heartbeatMs' | 'timeoutMs'>,
): Promise<Passed> {
  const beat = (): number | undefined => comments().find((atMs) => atMs - openedMs > heartbeatMs / 2);
  // Whatever was sent before puts the heartbeat off.
  const dueMs = lastByteMs() + heartbeatMs + Math.min(SLACK_MS, timeoutMs);
  await waitUntil(() => beat() !== undefined, dueMs - performance.now());
  const endedMs = overMs();
  // A stream that has been cut after its first heartbeat is cut all the same.
  if (endedMs !== undefined) throw wasCut(endedMs - openedMs, endedMs - lastByteMs(), heartbeatMs);
  const cameMs = beat();
  if (cameMs !== undefined) return { detail: `after ${seconds(cameMs - openedMs)} s` };
  throw new CheckFailure(
    `Dead stream: it is open, but no heartbeat came within ${heartbeatMs / 1000} s.`,
    'A proxy holds small pieces back or has lost the server. If SSE_KEEPALIVE_SECONDS is not 15, say so with --heartbeat.',
  );
}

/** The stream ended: after how long, and how long it had been silent, tells the proxy's time-out. */
function wasCut(lastedMs: number, silentMs: number, heartbeatMs: number): CheckFailure {
  return new CheckFailure(
    `The stream was closed ${seconds(lastedMs)} s after it was opened, when nothing had been sent for ${seconds(silentMs)} s: a time-out of about that length.`,
    `${CUT} Its read time-out must be above SSE_KEEPALIVE_SECONDS (${heartbeatMs / 1000} here): raise it (nginx: proxy_read_timeout 1h; HAProxy: timeout tunnel and timeout server), or lower the variable.`,
  );
}

/** What cuts a stream. */
export const CUT = 'A proxy cuts long answers, or the server was stopped: look at its log for this request.';

/** A time in seconds for people. */
function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
