/** A resumable stream, whose events are kept: one end writes, and whichever response is open at the time reads. */
import { type LossReason, type MessageStream, type RequestId, spellAbandonment } from '../../mcp/messages.ts';
import type { EventLog, EventReader, EventStore, KeptEvent, LogOptions } from '../../sessions/event-store.ts';
import type { Session } from '../../sessions/registry.ts';
import type { EventIds } from './event-ids.ts';
import type { EventStream } from './event-stream.ts';

/** Reads a stream into a response. */
export class ResponseReader implements EventReader {
  readonly #ids: EventIds;
  readonly #open: () => EventStream;
  #stream: EventStream | undefined;
  /** The number of the last event that the client has seen. */
  #seen: number;

  /** The response becomes a stream when there is something to be read, or when `begun` is called. */
  constructor(ids: EventIds, open: () => EventStream, seen = 0) {
    this.#ids = ids;
    this.#open = open;
    this.#seen = seen;
  }

  /** Whether the response can still be written to. */
  get isOpen(): boolean {
    return this.#stream?.isOpen === true;
  }

  /** Makes the response a stream now; returns the reader itself. */
  begun(): this {
    this.#stream ??= this.#open();
    return this;
  }

  /** Writes an event. */
  take({ number, json, isLast }: KeptEvent): void {
    this.#seen = number;
    this.begun().#stream?.sendEvent(this.#ids.spell(number, isLast), json);
  }

  /** Ends the response. */
  leave(comeBackAfterMs?: number): void {
    this.begun().#stream?.end({ comeBackAfterMs });
  }

  /** Answers the unanswered requests with the error that their answers are lost. */
  lose(said: readonly KeptEvent[]): void {
    const answered = new Set(said.map(({ json }) => answeredIdOf(json)));
    const stream = this.begun().#stream;
    const requestIds = this.#ids.requestIds.filter((id) => !answered.has(id));
    if (stream !== undefined)
      writeLoss(stream, { ids: this.#ids, number: this.#seen, requestIds, reason: 'answer_lost' });
  }
}

/** Requests whose answers are lost. */
export interface Loss {
  readonly ids: EventIds;
  /** The number of the last event. */
  readonly number: number;
  readonly requestIds: readonly RequestId[];
  readonly reason: LossReason;
}

/** Answers requests with the error that their answers are lost, and ends the stream. */
export function writeLoss(stream: EventStream, { ids, number, requestIds, reason }: Loss): void {
  for (const [index, id] of requestIds.entries()) {
    const isLast = index === requestIds.length - 1;
    stream.sendEvent(ids.spell(number + index + 1, isLast), spellAbandonment(id, reason));
  }
  stream.end();
}

/** The id of the request that an event answers, if it is a response. */
function answeredIdOf(json: string): unknown {
  // oxlint-disable-next-line no-unsafe-type-assertion -- events are messages, each an object
  const message = JSON.parse(json) as { readonly id?: unknown; readonly method?: unknown };
  return message.method === undefined ? message.id : undefined;
}

/** A stream that takes answers. */
export interface AnswerStream extends MessageStream {
  /** Sends an answer that is JSON already; none follows the last one. */
  sendText(json: string, isLast?: boolean): void;
  end(): void;
}

/** What a kept stream is made from. */
export interface KeptStreamParts extends Omit<LogOptions, 'reader'> {
  readonly store: EventStore;
  readonly session: Pick<Session, 'id' | 'userId'>;
  readonly ids: EventIds;
}

/** The writing end of a resumable stream. */
export class KeptStream implements AnswerStream {
  readonly ids: EventIds;
  readonly #parts: KeptStreamParts;
  /** The reader while nothing is kept. */
  #firstReader: EventReader | undefined;
  #log: EventLog | undefined;

  constructor(parts: KeptStreamParts) {
    this.ids = parts.ids;
    this.#parts = parts;
  }

  /** Whether the client may resume the stream, because it has been sent an event id. */
  get isKept(): boolean {
    return this.#log !== undefined;
  }

  /** Sets the reader, while nothing is kept. */
  readBy(reader: EventReader): void {
    this.#firstReader?.leave();
    this.#firstReader = reader;
  }

  /** Begins to keep the stream, if that has not begun; returns its log. */
  keep(): EventLog {
    if (this.#log !== undefined) return this.#log;
    const { store, session, ids, scopes, isEndless } = this.#parts;
    const key = { userId: session.userId, sessionId: session.id, stream: ids.stream };
    const reader = this.#firstReader;
    this.#firstReader = undefined;
    this.#log = store.begin(key, { reader, ...(scopes && { scopes }), ...(isEndless && { isEndless }) });
    return this.#log;
  }

  /** Sends a message. Notifications are expendable: a client can do without them. */
  send(message: object): void {
    this.keep().append({ json: JSON.stringify(message), isExpendable: !('id' in message) });
  }

  /** Sends an answer that is JSON already; the last one ends the stream. */
  sendText(json: string, isLast = false): void {
    this.keep().append({ json, isLast });
  }

  /** Ends the stream without a last event. */
  end(): void {
    if (this.#log === undefined) this.#firstReader?.leave();
    else this.#log.end();
  }

  /** Sends the reader away; its client is to reconnect after a while and begin another stream. */
  abandon(comeBackAfterMs: number): void {
    if (this.#log === undefined) this.#firstReader?.leave(comeBackAfterMs);
    else this.#log.abandon(comeBackAfterMs);
  }

  /** Sends the reader away; its client is to reconnect after a while. */
  pause(comeBackAfterMs: number): void {
    this.keep().dismiss(comeBackAfterMs);
  }

  /** Called when the client of a reader has gone. */
  release(reader: EventReader): void {
    if (this.#firstReader === reader) this.#firstReader = undefined;
    this.#log?.release(reader);
  }
}
