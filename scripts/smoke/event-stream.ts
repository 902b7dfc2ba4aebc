/** Reads a server-sent event stream as its bytes arrive, and records when everything came. */
import { EventEmitter, once } from 'node:events';
import { type Request, type Target, toInit, urlOf } from './http.ts';

/** One event. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** An open stream. Times are those of `performance.now()`. */
export interface EventStreamReader {
  readonly status: number;
  readonly headers: Headers;
  readonly openedMs: number;
  /** When the last byte arrived. */
  readonly lastByteMs: () => number;
  /** When comments, which are the heartbeat, arrived. */
  readonly comments: () => readonly number[];
  /** When the stream ended, or was cut; undefined while it is open. */
  readonly overMs: () => number | undefined;
  readonly isOver: () => boolean;
  /** Waits for a matching event; undefined when the time is up or the stream is over. */
  waitForEvent(fits: (event: StreamEvent) => boolean, timeoutMs: number): Promise<StreamEvent | undefined>;
  /** Waits until a condition holds, the time is up, or the stream is over; returns whether the condition holds. */
  waitUntil(isSo: () => boolean, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** How many events, and how many times of comments, are kept. */
const KEPT = 1000;

/**
 * Opens a stream.
 * @throws what fetch throws; a TimeoutError when no response head came within the target's time
 */
export async function openEventStream(
  target: Target,
  path: string,
  request: Request,
): Promise<EventStreamReader> {
  const { timeoutMs } = target;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new DOMException('no head', 'TimeoutError')), timeoutMs);
  const headers = { Accept: 'text/event-stream', ...request.headers };
  const response = await fetch(urlOf(target, path), {
    ...toInit({ ...request, headers }),
    signal: abort.signal,
  }).finally(() => clearTimeout(timer));

  const openedMs = performance.now();
  const events: StreamEvent[] = [];
  const comments: number[] = [];
  const changes = new EventEmitter();
  let lastByteMs = openedMs;
  const state: { overMs: number | undefined } = { overMs: undefined };
  /** Records one frame: a comment or an event. */
  const take = (frame: string): void => {
    if (frame.startsWith(':')) comments.push(performance.now());
    const event = parseEvent(frame);
    if (event !== undefined) events.push(event);
    if (events.length > KEPT) events.shift();
    if (comments.length > KEPT) comments.shift();
  };
  void readFrames(response, take, () => {
    lastByteMs = performance.now();
    changes.emit('change');
  })
    // A cut connection is an end like any other: the caller sees that the stream is over.
    .catch(() => undefined)
    .finally(() => {
      state.overMs = performance.now();
      changes.emit('change');
    });

  const waitUntil = async (isSo: () => boolean, waitMs: number): Promise<boolean> => {
    const late = new AbortController();
    const lateTimer = setTimeout(() => late.abort(), Math.max(0, waitMs));
    try {
      while (!isSo() && state.overMs === undefined && !late.signal.aborted)
        await once(changes, 'change', { signal: late.signal }).catch(() => undefined);
      return isSo();
    } finally {
      clearTimeout(lateTimer);
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    openedMs,
    lastByteMs: () => lastByteMs,
    comments: () => comments,
    overMs: () => state.overMs,
    isOver: () => state.overMs !== undefined,
    waitUntil,
    async waitForEvent(fits, waitMs) {
      await waitUntil(() => events.some(fits), waitMs);
      return events.find(fits);
    },
    close: () => abort.abort(),
  };
}

/** Passes on every complete frame, and calls back for every piece that arrives. */
async function readFrames(
  { body }: Response,
  take: (frame: string) => void,
  onBytes: () => void,
): Promise<void> {
  if (body === null) return;
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + piece).replaceAll('\r\n', '\n').split('\n\n');
    rest = frames.pop() ?? '';
    frames.forEach(take);
    onBytes();
  }
}

/** Parses the event of a frame; undefined when the frame has no data. */
function parseEvent(frame: string): StreamEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of frame.split('\n')) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    fields.set(name, value);
  }
  const data = fields.get('data');
  return data === undefined ? undefined : { name: fields.get('event') ?? 'message', data };
}
