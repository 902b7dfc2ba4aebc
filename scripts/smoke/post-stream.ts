/** Checks answers of Streamable HTTP that are streams, and the delay of events: proxies hold streams back until they end, or slow them down. */
import { randomUUID } from 'node:crypto';
import { type EventStreamReader, openEventStream } from './event-stream.ts';
import { ask, type Request, type Target, unexpected } from './http.ts';
import { explainNetworkError, isTimeout } from './network-error.ts';
import { CheckFailure } from './outcome.ts';
import type { RawSession } from './raw-session.ts';
import { BUFFERING, type SseStream } from './sse.ts';
import type { Passed } from './steps.ts';

/** An open stream. */
export interface OpenStream extends Passed {
  readonly reader: EventStreamReader;
}

/** How long the head and the first event may take; the server sends both at once. Milliseconds. */
const FIRST_MS = 5_000;

/** Opens the stream of a session, on which the server tells of changes. */
export async function openSessionStream(target: Target, { headers }: RawSession): Promise<OpenStream> {
  const request: Request = { method: 'GET', token: target.token, headers };
  const reader = await open(target, request, "a session's stream (GET /mcp)");
  return { detail: 'open', reader };
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'smoke-test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Opens a subscription of the stateless revision. Its answer is a stream that stays open, and every server has it, whatever its tools. */
export async function openPostStream(target: Target): Promise<OpenStream> {
  const method = 'subscriptions/listen';
  const request: Request = {
    token: target.token,
    headers: { 'Mcp-Protocol-Version': '2026-07-28', 'Mcp-Method': method },
    body: {
      jsonrpc: '2.0',
      id: 'smoke',
      method,
      params: { notifications: { toolsListChanged: true }, _meta: META },
    },
  };
  const startedMs = performance.now();
  const reader = await open(target, request, 'the answer to a POST that is a stream');
  const first = await reader.waitForEvent(() => true, Math.min(FIRST_MS, target.timeoutMs));
  if (first !== undefined)
    return { detail: `first event after ${Math.round(performance.now() - startedMs)} ms`, reader };
  reader.close();
  throw held('the answer to a POST that is a stream', target.timeoutMs);
}

/** Opens a stream of `/mcp`; fails with what came instead. */
async function open(target: Target, request: Request, what: string): Promise<EventStreamReader> {
  const waitMs = Math.min(FIRST_MS, target.timeoutMs);
  let reader: EventStreamReader;
  try {
    reader = await openEventStream({ ...target, timeoutMs: waitMs }, '/mcp', request);
  } catch (error) {
    if (isTimeout(error)) throw held(what, waitMs);
    throw explainNetworkError(error, waitMs);
  }
  const isStream = reader.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (reader.status === 200 && isStream) return reader;
  reader.close();
  throw unexpected(await ask(target, '/mcp', request), `200 with text/event-stream for ${what}`);
}

/** The failure of a stream of which nothing arrives. */
function held(what: string, waitMs: number): CheckFailure {
  return new CheckFailure(
    `Nothing arrived of ${what} within ${Math.min(FIRST_MS, waitMs) / 1000} s: something holds it back until it is complete, so clients see no progress.`,
    BUFFERING,
  );
}

/** How much later than its request's answer an event may come; a proxy that gathers events for longer delays every answer. Milliseconds. */
const LATE_MS = 1_000;
const TRIES = 3;

/** Checks that pings are answered on the stream at once, and with their ids unchanged: proxies have been seen to break non-ASCII text. */
export async function checkEvents(target: Target, { reader, endpoint }: SseStream): Promise<Passed> {
  let leastMs = Infinity;
  // The fastest counts: a busy machine is late now and then, a buffering proxy always.
  for (let tries = 0; tries < TRIES && leastMs > LATE_MS; tries += 1) {
    const id = `smoke ${randomUUID()} – ünïcödé ✓`;
    const body = { jsonrpc: '2.0', id, method: 'ping' };
    const startedMs = performance.now();
    const { status, durationMs } = await ask(target, endpoint, { token: target.token, body });
    const event = await reader.waitForEvent(({ data }) => idOf(data) === id, target.timeoutMs);
    if (event === undefined) throw unanswered(status, target.timeoutMs);
    leastMs = Math.min(leastMs, performance.now() - startedMs - durationMs);
  }
  if (leastMs <= LATE_MS) return { detail: `${Math.max(0, Math.round(leastMs))} ms after their request` };
  throw new CheckFailure(
    `Events are late: the fastest of ${TRIES} came ${(leastMs / 1000).toFixed(1)} s after its request was taken.`,
    `Something collects events before it passes them on. ${BUFFERING}`,
  );
}

/** The failure of a message that was accepted and never answered. */
function unanswered(status: number, timeoutMs: number): CheckFailure {
  return new CheckFailure(
    `A message was answered ${status}, and nothing came on the stream within ${timeoutMs / 1000} s.`,
    'The stream is dead, or the message went to another server: with several instances, all requests of a session must reach the same one.',
  );
}

/** The id of a JSON-RPC message; undefined when it cannot be read. */
function idOf(data: string): unknown {
  try {
    const message: unknown = JSON.parse(data);
    return typeof message === 'object' && message !== null ? Reflect.get(message, 'id') : undefined;
  } catch {
    return undefined;
  }
}
