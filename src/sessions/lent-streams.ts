/** Streams of this process that are read in others: events are sent there in batches, each after the one before has arrived. */
import type { EventReader, KeptEvent, Resumption, StreamKey } from './event-store.ts';
import type { MemoryLog } from './memory-event-log.ts';
import { PeerGoneError, type Peers } from './peers.ts';

/** The request of a process whose client resumes a stream. */
export interface LoanRequest {
  readonly key: StreamKey;
  readonly after: number;
  /** Names the reader. */
  readonly reader: string;
  /** The process of the reader. */
  readonly borrower: string;
}

/** The answer to such a request. */
export type LoanAnswer =
  | { readonly outcome: 'resumed'; readonly missed: number }
  | { readonly outcome: Exclude<Resumption['outcome'], 'resumed'> };

/** What is sent to a reader elsewhere. */
export interface Batch {
  readonly reader: string;
  readonly events: readonly KeptEvent[];
  /** Set when nothing follows, with the time after which the client is to reconnect, if it is. */
  readonly end?: { readonly comeBackAfterMs?: number | undefined };
}

/** What the processes ask each other. */
export const QUESTIONS = {
  want: 'stream wanted',
  watch: 'stream watched',
  release: 'stream released',
  bring: 'stream events',
} as const;

/** The `retry` for a client that could not keep up with its stream. Milliseconds. */
const COME_BACK_AFTER_MS = 1_000;

/** How much may wait for a reader that is behind, beside one more event, when the log no longer keeps it. Characters. */
const MAX_WAITING_CHARS = 4 * 1_048_576;

/** The streams of this process that others read. */
export class LentStreams {
  readonly #readers = new Map<string, LentReader>();

  constructor(peers: Peers, find: (key: StreamKey) => MemoryLog | undefined) {
    peers.onAsk(QUESTIONS.want, ({ key, ...request }: LoanRequest): LoanAnswer => {
      const log = find(key);
      if (log === undefined) return { outcome: 'lost' };
      const reader = new LentReader(log, {
        ...request,
        peers,
        onOver: () => this.#readers.delete(request.reader),
      });
      this.#readers.set(request.reader, reader);
      const resumption = log.resume({ after: request.after, reader, mayRead: () => true });
      if (resumption.outcome === 'resumed') return { outcome: 'resumed', missed: resumption.missed };
      this.#readers.delete(request.reader);
      return resumption;
    });
    peers.onAsk(QUESTIONS.watch, ({ reader }: Pick<LoanRequest, 'reader'>): boolean => {
      // Sends again what did not arrive.
      this.#readers.get(reader)?.send();
      return this.#readers.has(reader);
    });
    peers.onAsk(QUESTIONS.release, ({ reader }: Pick<LoanRequest, 'reader'>): boolean => {
      this.#readers.get(reader)?.finish();
      return true;
    });
  }

  /** At a shutdown: sends away the readers of sessions' own streams, to open another one elsewhere. Calls are ended before. */
  dismiss(comeBackAfterMs: number): void {
    for (const { log } of this.#readers.values()) if (log.isEndless) log.abandon(comeBackAfterMs);
  }

  /** How many streams are read elsewhere. */
  get size(): number {
    return this.#readers.size;
  }
}

/** What a reader is made from. */
interface LentReaderParts extends Omit<LoanRequest, 'key'> {
  readonly peers: Peers;
  readonly onOver: () => void;
}

/** Stands for a reader in another process, which is to get all that a reader here would: also events that are too many for the log to keep. */
class LentReader implements EventReader {
  readonly log: MemoryLog;
  readonly #parts: LentReaderParts;
  /** The number of the last event that has arrived. */
  #arrived: number;
  /** The events that have not arrived, oldest first. The log mostly keeps them as well, so they take no more memory. */
  #waiting: KeptEvent[] = [];
  #waitingChars = 0;
  /** The number of the last event that was dropped, because too much waited. */
  #droppedNumber = 0;
  #end: Batch['end'];
  #isSending = false;

  constructor(log: MemoryLog, parts: LentReaderParts) {
    this.log = log;
    this.#parts = parts;
    this.#arrived = parts.after;
  }

  take(event: KeptEvent): void {
    // A reader that is so far behind gets what the log still keeps. A single event is taken however large it is.
    if (this.#waitingChars > MAX_WAITING_CHARS) {
      this.#droppedNumber = this.#waiting.at(-1)?.number ?? 0;
      this.#letGo(this.#droppedNumber);
    }
    this.#waiting.push(event);
    this.#waitingChars += event.json.length;
    this.send();
  }

  leave(comeBackAfterMs?: number): void {
    this.#end = { comeBackAfterMs };
    this.send();
  }

  /** Never called: the stream is written in this process. */
  lose(): void {
    this.leave(COME_BACK_AFTER_MS);
  }

  /** Sends what has not arrived, unless that is being done. */
  send(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#sendAll();
  }

  /** Ends the loan: the reader has gone. */
  finish(): void {
    this.#parts.onOver();
    this.log.release(this);
  }

  /** Sends batch after batch until everything has arrived. */
  async #sendAll(): Promise<void> {
    try {
      // Events of one turn of the event loop go in one batch.
      await Promise.resolve();
      for (;;) {
        const events = this.log.after(this.#arrived) ?? this.#allWaiting();
        const end = events === undefined ? { comeBackAfterMs: COME_BACK_AFTER_MS } : this.#end;
        if (events?.length === 0 && end === undefined) return;
        const { peers, borrower, reader } = this.#parts;
        const batch: Batch = { reader, events: events ?? [], ...(end && { end }) };
        const hasArrived = await peers.ask<boolean>(borrower, QUESTIONS.bring, batch);
        if (!hasArrived || end !== undefined) return this.finish();
        this.#arrived = batch.events.at(-1)?.number ?? this.#arrived;
        this.#letGo(this.#arrived);
      }
    } catch (error) {
      // A process that cannot be reached asks after the stream (`watch`), and then it is sent again.
      if (error instanceof PeerGoneError) this.finish();
    } finally {
      // Here, not after the promise has settled: an event that is added in between would wait until the reader asks.
      this.#isSending = false;
    }
  }

  /** The events that have not arrived; undefined when some of them were dropped. */
  #allWaiting(): readonly KeptEvent[] | undefined {
    return this.#arrived < this.#droppedNumber ? undefined : [...this.#waiting];
  }

  /** Removes the waiting events up to a number. */
  #letGo(upTo: number): void {
    this.#waiting = this.#waiting.filter(({ number }) => number > upTo);
    this.#waitingChars = this.#waiting.reduce((sum, { json }) => sum + json.length, 0);
  }
}
