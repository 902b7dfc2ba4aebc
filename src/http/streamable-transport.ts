/**
 * One Streamable HTTP session of the revisions 2025-03-26 to 2025-11-25, written straight on Node's responses. The SDK's
 * own transport goes through web streams, which hide how much waits for a client, and leaves a cancelled call's response open.
 */
import type { ServerResponse } from 'node:http';
import type {
  JSONRPCMessage,
  RequestId,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import type { Grant } from '../auth/verifier.ts';
import type { Caller } from '../mcp/caller.ts';
import type { Session } from '../sessions/registry.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { duplicateId, isRequest, isResponse } from './json-rpc.ts';
import type { SessionDispatch } from './session-dispatch.ts';

/** What a POST brings. */
export interface Post {
  readonly messages: readonly JSONRPCMessage[];
  readonly isBatch: boolean;
  readonly res: ServerResponse;
  readonly caller: Caller;
  /** Whether the client takes an event stream for an answer. */
  readonly acceptsStream: boolean;
}

/** The SDK's view of one session. */
export class StreamableTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  dispatch?: SessionDispatch;
  readonly sessionId: string;
  readonly #session: Session;
  readonly #streams: EventStreams;
  /** The POST that each unanswered request came with. */
  readonly #exchanges = new Map<RequestId, Exchange>();
  #standalone: EventStream | undefined;
  #closed = false;

  constructor(session: Session, streams: EventStreams) {
    this.#session = session;
    this.#streams = streams;
    this.sessionId = session.id;
  }

  /** Nothing to start: requests bring their own connections. */
  async start(): Promise<void> {}

  /**
   * Takes a POST; its response is written when the answers are there.
   * @throws {HttpError} 400 when a request id is already in use
   */
  handlePost({ messages, isBatch, res, caller, acceptsStream }: Post): void {
    const ids = messages.filter(isRequest).map(({ id }) => id);
    if (new Set(ids).size < ids.length || ids.some((id) => this.#exchanges.has(id))) {
      throw duplicateId();
    }
    this.#session.touch();
    if (ids.length > 0) {
      const open = (): EventStream => this.#streams.open(res, caller, { 'Mcp-Session-Id': this.sessionId });
      const exchange = new Exchange({
        res,
        ids,
        isBatch,
        sessionId: this.sessionId,
        openStream: acceptsStream ? open : undefined,
      });
      for (const id of ids) {
        this.#exchanges.set(id, exchange);
        this.#session.begin(id);
      }
      // A proxy between here and the client may cut what is silent for long: then the answer becomes a stream that beats.
      if (acceptsStream) this.#streams.whenSilent(res, () => exchange.openStream());
    }
    for (const message of messages) {
      const cancelledId = this.dispatch?.deliver(message, caller);
      // Without this its response would stay open for ever.
      if (cancelledId !== undefined) this.#settle(cancelledId);
    }
    if (ids.length === 0) res.writeHead(202, { 'Mcp-Session-Id': this.sessionId }).end();
  }

  /** Takes a GET: the session's stream for what belongs to no request. It takes over from an earlier, maybe half-dead one. */
  handleGet(res: ServerResponse, grant: Grant): void {
    this.#standalone?.end();
    const stream = this.#streams.open(res, grant, { 'Mcp-Session-Id': this.sessionId });
    this.#standalone = stream;
    const release = this.#session.holdStream();
    res.once('close', () => {
      release();
      if (this.#standalone === stream) this.#standalone = undefined;
    });
  }

  /** Sends an answer, or something that belongs to a request, to that request's response; the rest to the GET stream. */
  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (isResponse(message)) {
      if (message.id !== undefined) this.#settle(message.id, message);
      return;
    }
    const related = options?.relatedRequestId;
    const exchange = related === undefined ? undefined : this.#exchanges.get(related);
    const stream = exchange === undefined ? this.#standalone : exchange.openStream();
    if (stream !== undefined) stream.send(message);
    // A notification nobody listens to is dropped; a request must not wait for an answer that cannot come.
    else if (isRequest(message)) throw new Error('The client has no stream open that could take a request.');
  }

  /** Ends what is open. */
  async close(): Promise<void> {
    this.end({ comeBackLater: false });
  }

  /** Ends what is open, before a shutdown with word when to come back. */
  end(options: { readonly comeBackLater: boolean }): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#standalone?.end(options);
    for (const exchange of this.#exchanges.values()) exchange.abandon();
    this.#exchanges.clear();
    this.dispatch?.close();
    this.onclose?.();
  }

  /** Takes a request off the list, with its answer or, when it was cancelled, without. */
  #settle(id: RequestId, answer?: JSONRPCMessage): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    this.#exchanges.delete(id);
    exchange.settle(id, answer && (this.dispatch?.correct(answer) ?? answer));
    this.#session.settle(id);
  }
}

/** What an exchange is made from. */
interface ExchangeOptions {
  readonly res: ServerResponse;
  readonly ids: readonly RequestId[];
  readonly isBatch: boolean;
  readonly sessionId: string;
  readonly openStream: (() => EventStream) | undefined;
}

/** The response of one POST: plain JSON, unless something has to be sent before the answer. */
class Exchange {
  readonly #options: ExchangeOptions;
  readonly #pending: Set<RequestId>;
  readonly #answers: JSONRPCMessage[] = [];
  #stream: EventStream | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#pending = new Set(options.ids);
  }

  /** The response as a stream, with the answers so far; nothing when the client takes none, or has gone. */
  openStream(): EventStream | undefined {
    const { res, openStream } = this.#options;
    if (this.#stream === undefined && openStream !== undefined && !res.headersSent && !res.destroyed) {
      this.#stream = openStream();
      for (const answer of this.#answers.splice(0)) this.#stream.send(answer);
    }
    return this.#stream;
  }

  /** Notes a request's answer, or that none will come; the last one ends the response. */
  settle(id: RequestId, answer: JSONRPCMessage | undefined): void {
    this.#pending.delete(id);
    if (answer !== undefined) {
      if (this.#stream === undefined) this.#answers.push(answer);
      else this.#stream.send(answer);
    }
    if (this.#pending.size === 0) this.#finish();
  }

  /** Ends a response whose answers will not come: the session has ended. */
  abandon(): void {
    const { res, ids, isBatch } = this.#options;
    if (this.#stream !== undefined) this.#stream.end();
    else if (!res.headersSent)
      this.#writeJson(404, {
        jsonrpc: '2.0',
        id: isBatch ? null : (ids[0] ?? null),
        error: { code: -32_001, message: 'The session has ended.', data: { error: 'session_ended' } },
      });
  }

  /** Ends the response. */
  #finish(): void {
    const { isBatch, res } = this.#options;
    if (this.#stream !== undefined) return this.#stream.end();
    if (res.headersSent || res.destroyed) return;
    const [only] = this.#answers;
    // Every request of it was cancelled: nothing is left to say.
    if (only === undefined) res.writeHead(202, this.#headers()).end();
    else this.#writeJson(200, isBatch ? this.#answers : only);
  }

  /** Writes the whole response at once. */
  #writeJson(status: number, body: unknown): void {
    const text = JSON.stringify(body);
    const headers = {
      ...this.#headers(),
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    };
    this.#options.res.writeHead(status, headers).end(text);
  }

  #headers() {
    return { 'Mcp-Session-Id': this.#options.sessionId };
  }
}
