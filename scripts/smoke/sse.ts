/** Step 4: HTTP+SSE, the transport that proxies break most easily: first event at once, and a heartbeat that gets through. */
import { type EventStreamReader, openEventStream } from './event-stream.ts';
import { ask, type Target, unexpected } from './http.ts';
import { explainNetworkError, isTimeout } from './network-error.ts';
import { CheckFailure } from './outcome.ts';
import type { SmokeOptions } from './options.ts';
import type { Passed } from './steps.ts';

/** An open stream of the transport. */
export interface SseStream extends Passed {
  readonly reader: EventStreamReader;
  /** Where its messages go. */
  readonly endpoint: string;
}

/** How long the first event may take, which the server sends with the head. */
const FIRST_EVENT_MS = 5_000;
/** How much later than its interval a heartbeat may come, at most: the way, and the server's clock of half a second. */
const HEARTBEAT_SLACK_MS = 3_000;

const BUFFERING =
  'Switch response buffering off there for this path (nginx: proxy_buffering off; others: "streaming" or "flush"), compression too; or let clients use /mcp and set SSE_ENABLED=false.';

/** Opens a stream and wants its first event at once. Whoever called closes the reader. */
export async function openSse(target: Target): Promise<SseStream> {
  const waitMs = Math.min(FIRST_EVENT_MS, target.timeoutMs);
  const startedMs = performance.now();
  const reader = await openOrExplain(target, waitMs);
  const isStream = reader.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (reader.status !== 200 || !isStream) {
    reader.close();
    throw unexpected(await ask(target, '/sse', { token: target.token }), '200 with text/event-stream');
  }
  const first = await reader.waitForEvent(({ name }) => name === 'endpoint', waitMs);
  if (first !== undefined) {
    const took = Math.round(performance.now() - startedMs);
    return { detail: `first event after ${took} ms`, reader, endpoint: first.data };
  }
  reader.close();
  if (reader.isOver()) throw new CheckFailure('The stream ended before its first event.', CUT);
  throw buffering(waitMs);
}

const CUT = 'A proxy cuts long answers, or the server was stopped: look at its log for this request.';

/** Opens the stream; silence, right after /health has answered, has one usual reason. */
async function openOrExplain(target: Target, waitMs: number): Promise<EventStreamReader> {
  try {
    return await openEventStream({ ...target, timeoutMs: waitMs }, '/sse', { token: target.token });
  } catch (error) {
    if (isTimeout(error)) throw buffering(waitMs);
    throw explainNetworkError(error, waitMs);
  }
}

/** Nothing of a stream arrives. */
function buffering(waitMs: number): CheckFailure {
  const problem = `Nothing of the stream arrived within ${waitMs / 1000} s, although the server sends its first event at once: a buffering proxy holds it back.`;
  return new CheckFailure(problem, BUFFERING);
}

/** A comment arrives within the interval, on a stream where nothing else is sent. */
export async function checkHeartbeat(
  { reader }: SseStream,
  { heartbeatMs, timeoutMs }: Pick<SmokeOptions, 'heartbeatMs' | 'timeoutMs'>,
): Promise<Passed> {
  const dueMs = reader.openedMs + heartbeatMs + Math.min(HEARTBEAT_SLACK_MS, timeoutMs);
  const came = await reader.waitUntil(() => reader.comments().length > 0, dueMs - performance.now());
  const [firstMs = 0] = reader.comments();
  if (came) return { detail: `after ${((firstMs - reader.openedMs) / 1000).toFixed(1)} s` };
  const lastedMs = reader.lastByteMs() - reader.openedMs;
  if (reader.isOver())
    throw new CheckFailure(
      `The stream was closed, ${(lastedMs / 1000).toFixed(1)} s after it was opened at the latest.`,
      `${CUT} If it is a limit on idle connections, SSE_KEEPALIVE_SECONDS must be below it.`,
    );
  throw new CheckFailure(
    `Dead stream: it is open, but no heartbeat came within ${heartbeatMs / 1000} s.`,
    'A proxy holds small pieces back or has lost the server. If SSE_KEEPALIVE_SECONDS is not 15, say so with --heartbeat.',
  );
}
