/** Checks HTTP+SSE, the transport that proxies break most easily: its stream opens, and the first event comes at once. */
import { type EventStreamReader, openEventStream } from './event-stream.ts';
import { CUT } from './heartbeat.ts';
import { ask, type Target, unexpected, urlOf } from './http.ts';
import { explainNetworkError, isTimeout } from './network-error.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** An open stream of the transport. */
export interface SseStream extends Passed {
  readonly reader: EventStreamReader;
  /** The path that takes the messages for the stream. */
  readonly endpoint: string;
}

/** How long the first event may take; the server sends it with the head. Milliseconds. */
const FIRST_EVENT_MS = 5_000;
/** What to do about a proxy that holds streams back. */
export const BUFFERING =
  'Switch response buffering off there (nginx: proxy_buffering off; Caddy: flush_interval -1; Apache: flushpackets=on; others: "streaming"), and compression and caching of text/event-stream too.';

/** Opens a stream; fails unless its first event comes at once. The caller closes the reader. */
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
    return { detail: `first event after ${took} ms`, reader, endpoint: endpointOf(target, first.data) };
  }
  reader.close();
  if (reader.isOver()) throw new CheckFailure('The stream ended before its first event.', CUT);
  throw buffering(waitMs);
}

/** The path that the first event gives for messages, resolved as clients do. It must be under the deployment's path. */
function endpointOf(target: Target, said: string): string {
  const endpoint = new URL(said, urlOf(target, '/sse'));
  const { origin, pathname: base } = target.url;
  if (endpoint.origin === origin && endpoint.pathname.startsWith(base))
    return `${endpoint.pathname.slice(base.length - 1)}${endpoint.search}`;
  throw new CheckFailure(
    `The stream sends its messages to ${endpoint.origin}${endpoint.pathname}, outside ${target.url.href}.`,
    'A proxy adds a path that the server does not know: set PUBLIC_URL to the whole address, including the path.',
  );
}

/** Opens the stream. Silence here has one usual reason, since /health has answered. */
async function openOrExplain(target: Target, waitMs: number): Promise<EventStreamReader> {
  try {
    return await openEventStream({ ...target, timeoutMs: waitMs }, '/sse', { token: target.token });
  } catch (error) {
    if (isTimeout(error)) throw buffering(waitMs);
    throw explainNetworkError(error, waitMs);
  }
}

/** The failure of a stream of which nothing arrives. */
function buffering(waitMs: number): CheckFailure {
  const problem = `No event of the stream arrived within ${waitMs / 1000} s, although the server sends its first event at once: a buffering proxy holds it back.`;
  return new CheckFailure(problem, BUFFERING);
}
