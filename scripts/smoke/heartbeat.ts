/** Checks the heartbeat: a comment arrives on a stream where nothing else is sent. Otherwise the failure names the likely limit on silence. */
import type { EventStreamReader } from './event-stream.ts';
import { CheckFailure } from './outcome.ts';
import type { SmokeOptions } from './options.ts';
import type { Passed } from './steps.ts';

/** The most that a heartbeat may come after its interval, for the network and for the server's timer, which ticks every half second. */
export const SLACK_MS = 3_000;

/** Checks that a comment arrives within the interval. One that came as the stream opened says nothing about silence. */
export async function checkHeartbeat(
  { openedMs, lastByteMs, comments, overMs, waitUntil }: EventStreamReader,
  { heartbeatMs, timeoutMs }: Pick<SmokeOptions, 'heartbeatMs' | 'timeoutMs'>,
): Promise<Passed> {
  const beat = (): number | undefined => comments().find((atMs) => atMs - openedMs > heartbeatMs / 2);
  // Whatever the server sent last postpones the heartbeat.
  const dueMs = lastByteMs() + heartbeatMs + Math.min(SLACK_MS, timeoutMs);
  await waitUntil(() => beat() !== undefined, dueMs - performance.now());
  const endedMs = overMs();
  // A stream that was cut after its first heartbeat is a failure, too.
  if (endedMs !== undefined) throw wasCut(endedMs - openedMs, endedMs - lastByteMs(), heartbeatMs);
  const cameMs = beat();
  if (cameMs !== undefined) return { detail: `after ${seconds(cameMs - openedMs)} s` };
  throw new CheckFailure(
    `Dead stream: it is open, but no heartbeat came within ${heartbeatMs / 1000} s.`,
    'A proxy holds small pieces of data back, or has lost its connection to the server. If SSE_KEEPALIVE_SECONDS is not 15, give its value with --heartbeat.',
  );
}

/** The failure of a stream that ended: its age, and how long it had been silent, hint at the proxy's time-out. */
function wasCut(lastedMs: number, silentMs: number, heartbeatMs: number): CheckFailure {
  return new CheckFailure(
    `The stream was closed ${seconds(lastedMs)} s after it was opened, when nothing had been sent for ${seconds(silentMs)} s: a time-out of about that length.`,
    `${CUT} Its read time-out must be above SSE_KEEPALIVE_SECONDS (${heartbeatMs / 1000} here): raise it (nginx: proxy_read_timeout 1h; HAProxy: timeout tunnel and timeout server), or lower the variable.`,
  );
}

/** The usual reasons why a stream is cut. */
export const CUT = 'A proxy cuts long answers, or the server was stopped: look at its log for this request.';

/** Formats a duration in seconds for people. */
function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
