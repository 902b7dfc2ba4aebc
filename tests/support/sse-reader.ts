/** Reads a server-sent event stream as it arrives: events, comments and retry fields, and how it ended. */
import { eventually, type RequestOptions, requestInit, send, type Answer } from './raw-http.ts';

/** One frame of a stream. */
export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  readonly comment?: string;
}

/** An open stream, or any other answer of the server. */
export interface StreamReader {
  readonly status: number;
  readonly headers: Headers;
  /** Every frame so far. */
  readonly frames: readonly Frame[];
  /** The JSON-RPC messages so far. */
  messages(): readonly unknown[];
  /** Waits for the first frame that matches, among all frames of the stream. */
  waitFor(fits: (frame: Frame) => boolean, deadlineMs?: number): Promise<Frame>;
  /** Waits for the response with this id. */
  answerTo(id: string | number): Promise<unknown>;
  /** Waits until the stream is over; returns whether it was ended or cut. */
  over(deadlineMs?: number): Promise<'ended' | 'cut'>;
  /** Closes the connection. */
  close(): void;
}

/** Opens a stream, and collects its frames. */
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

/** Parses the fields of one frame. */
function parseFrame(text: string): Frame {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = colon === 0 ? 'comment' : line.slice(0, colon);
    fields[name] = line.slice(colon + 1).replace(/^ /, '');
  }
  return fields;
}

/** The JSON-RPC message of a frame, if it has one: the first frame of a stream may only give its id. */
function messageOf({ event, data }: Frame): unknown[] {
  return data !== undefined && data !== '' && event !== 'endpoint' ? [JSON.parse(data) as unknown] : [];
}

/** Whether a message answers the request with this id. */
function hasId(message: unknown, id: string | number): boolean {
  return typeof message === 'object' && message !== null && 'id' in message && message.id === id;
}

/** A session of HTTP+SSE. */
export interface SseSession extends StreamReader {
  readonly id: string;
  /** The address to which its messages are posted. */
  readonly endpoint: string;
  /** Posts a message, with its user's token unless the options say otherwise. */
  post(body: unknown, options?: RequestOptions): Promise<Answer>;
}

/** Opens a session of HTTP+SSE. */
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
