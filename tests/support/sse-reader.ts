/** Reads a server-sent event stream as it comes: events, comments, retry fields and how it ended. */
import { eventually, type RequestOptions, requestInit, send, type Answer } from './raw-http.ts';

/** One frame of a stream. */
export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  readonly comment?: string;
}

/** An open stream, or whatever else the server answered. */
export interface StreamReader {
  readonly status: number;
  readonly headers: Headers;
  /** Every frame so far. */
  readonly frames: readonly Frame[];
  /** The JSON-RPC messages so far. */
  messages(): readonly unknown[];
  /** Waits for the first frame that fits, of all that have come. */
  waitFor(fits: (frame: Frame) => boolean, deadlineMs?: number): Promise<Frame>;
  /** Waits for the message with this id. */
  answerTo(id: string | number): Promise<unknown>;
  /** Waits until the stream is over: whether it was ended or cut. */
  over(deadlineMs?: number): Promise<'ended' | 'cut'>;
  /** Goes away. */
  close(): void;
}

/** Opens a stream. */
export async function openStream(url: string, options: RequestOptions = {}): Promise<StreamReader> {
  const abort = new AbortController();
  const headers = { Accept: 'application/json, text/event-stream', ...options.headers };
  const response = await fetch(url, { ...requestInit({ ...options, headers }), signal: abort.signal });
  const frames: Frame[] = [];
  const messages: unknown[] = [];
  let end: 'ended' | 'cut' | undefined;
  void collect(response, (frame) => {
    frames.push(frame);
    messages.push(...messageOf(frame));
  }).then(
    () => (end = 'ended'),
    () => (end = 'cut'),
  );
  const waitFor = async (fits: (frame: Frame) => boolean, deadlineMs?: number): Promise<Frame> => {
    await eventually(() => frames.some(fits) || end !== undefined, {
      what: 'a frame',
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    const frame = frames.find(fits);
    if (frame === undefined)
      throw new Error(`The stream ${end} before the frame; got ${JSON.stringify(frames)}`);
    return frame;
  };
  return {
    status: response.status,
    headers: response.headers,
    frames,
    messages: () => messages,
    waitFor,
    async answerTo(id) {
      const find = (): unknown => messages.find((message) => hasId(message, id));
      await eventually(() => find() !== undefined || end !== undefined, { what: `the answer to ${id}` });
      const answer = find();
      if (answer === undefined) throw new Error(`The stream ${end} before the answer to ${id}.`);
      return answer;
    },
    async over(deadlineMs) {
      await eventually(() => end !== undefined, {
        what: 'the end of the stream',
        ...(deadlineMs !== undefined && { deadlineMs }),
      });
      return end ?? 'cut';
    },
    close: () => abort.abort(),
  };
}

/** Reads frames until the stream is over. */
async function collect(response: Response, onFrame: (frame: Frame) => void): Promise<void> {
  const decoder = new TextDecoder();
  // Pieces are joined only when a frame ends: a large answer comes in hundreds of them.
  let pieces: string[] = [];
  for await (const chunk of response.body ?? []) {
    pieces.push(decoder.decode(chunk as Uint8Array, { stream: true }));
    if (pieces.at(-1)?.includes('\n') !== true) continue;
    const texts = pieces.join('').split('\n\n');
    pieces = [texts.pop() ?? ''];
    for (const text of texts) onFrame(parseFrame(text));
  }
}

/** One frame's fields. */
function parseFrame(text: string): Frame {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = colon === 0 ? 'comment' : line.slice(0, colon);
    fields[name] = line.slice(colon + 1).replace(/^ /, '');
  }
  return fields;
}

/** The message that a frame carries, if it does: the first of a stream may only tell its id. */
function messageOf({ event, data }: Frame): unknown[] {
  return data !== undefined && data !== '' && event !== 'endpoint' ? [JSON.parse(data) as unknown] : [];
}

/** Whether a message answers the request with this id. */
function hasId(message: unknown, id: string | number): boolean {
  return typeof message === 'object' && message !== null && 'id' in message && message.id === id;
}

/** A session of the HTTP+SSE transport. */
export interface SseSession extends StreamReader {
  readonly id: string;
  /** Where its messages go. */
  readonly endpoint: string;
  /** Sends a message on it, as its user unless told otherwise. */
  post(body: unknown, options?: RequestOptions): Promise<Answer>;
}

/** Opens a session of the HTTP+SSE transport. */
export async function openSse(url: string, token: string): Promise<SseSession> {
  const reader = await openStream(`${url}/sse`, { token });
  const { data = '' } = await reader.waitFor(({ event }) => event === 'endpoint');
  const endpoint = new URL(data, url);
  return {
    ...reader,
    id: endpoint.searchParams.get('sessionId') ?? '',
    endpoint: endpoint.href,
    post: (body, options = {}) => send(endpoint.href, { token, body, ...options }),
  };
}
