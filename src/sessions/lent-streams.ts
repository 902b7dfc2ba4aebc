/** Streams of this process that are read in others: what is added goes there in order, each batch after the one before has arrived. */
import type { EventReader, KeptEvent, Resumption, StreamKey } from './event-store.ts';
import type { MemoryLog } from './memory-event-log.ts';
import { PeerGoneError, type Peers } from './peers.ts';

/** What a process asks for that has a client of the stream. */
export interface LoanRequest {
  readonly key: StreamKey;
  readonly after: number;
  /** Names the reader. */
  readonly reader: string;
  /** The process where it is. */
  readonly borrower: string;
}

/** What becomes of that. */
export type LoanAnswer =
  | { readonly outcome: 'resumed'; readonly missed: number }
  | { readonly outcome: Exclude<Resumption['outcome'], 'resumed'> };

/** What goes to a reader elsewhere. */
export interface Batch {
  readonly reader: string;
  readonly events: readonly KeptEvent[];
  /** Whether that is all, and when the client is to come back where it is to. */
  readonly end?: { readonly comeBackAfterMs?: number | undefined };
}

/** What the processes ask each other. */
export const QUESTIONS = {
  want: 'stream wanted',
  watch: 'stream watched',
  release: 'stream released',
  bring: 'stream events',
} as const;

/** When a client comes back whose stream was too fast for it. Milliseconds. */
const COME_BACK_AFTER_MS = 1_000;

/** So much may wait for a reader that is behind, beside one event, though the log does not keep it. Characters. */
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
      // What did not get through is tried again.
      this.#readers.get(reader)?.send();
      return this.#readers.has(reader);
    });
    peers.onAsk(QUESTIONS.release, ({ reader }: Pick<LoanRequest, 'reader'>): boolean => {
      this.#readers.get(reader)?.finish();
      return true;
    });
  }

  /** Sends those away who read what sessions here have to say, to begin another stream: this process goes. Calls are ended first. */
  dismiss(comeBackAfterMs: number): void {
    for (const { log } of this.#readers.values()) if (log.isEndless) log.abandon(comeBackAfterMs);
  }

  /** How many are read elsewhere. */
  get size(): number {
    return this.#readers.size;
  }
}

/** What a reader elsewhere is reached with. */
interface LentReaderParts extends Omit<LoanRequest, 'key'> {
  readonly peers: Peers;
  readonly onOver: () => void;
}

/** Stands for a reader in another process, who is to get what one in this process would: what the log is too small for, too. */
class LentReader implements EventReader {
  readonly log: MemoryLog;
  readonly #parts: LentReaderParts;
  /** The number of the last event that has arrived. */
  #arrived: number;
  /** What has been taken and has not arrived, the oldest first: mostly the same that the log keeps, which costs nothing. */
  #waiting: KeptEvent[] = [];
  #waitingChars = 0;
  /** The last event that was too much to wait. */
  #droppedNumber = 0;
  #end: Batch['end'];
  #isSending = false;

  constructor(log: MemoryLog, parts: LentReaderParts) {
    this.log = log;
    this.#parts = parts;
    this.#arrived = parts.after;
  }

  take(event: KeptEvent): void {
    // Whoever is so far behind gets what the log keeps. A single event is taken however large it is.
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

  /** Never called: what is read here is in this process. */
  lose(): void {
    this.leave(COME_BACK_AFTER_MS);
  }

  /** Sends what has not arrived, unless that is under way. */
  send(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#sendAll();
  }

  /** Hears that nobody is there. */
  finish(): void {
    this.#parts.onOver();
    this.log.release(this);
  }

  async #sendAll(): Promise<void> {
    try {
      // What happens in one turn goes together.
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
      // Where it cannot be reached, whoever reads it asks what has become of it, and it is tried again.
      if (error instanceof PeerGoneError) this.finish();
    } finally {
      // Here, and not when the promise is settled: what is added in between would wait until somebody asks for it.
      this.#isSending = false;
    }
  }

  /** What has not arrived; undefined where some of it is gone. */
  #allWaiting(): readonly KeptEvent[] | undefined {
    return this.#arrived < this.#droppedNumber ? undefined : [...this.#waiting];
  }

  /** Lets go of what waits, up to an event. */
  #letGo(upTo: number): void {
    this.#waiting = this.#waiting.filter(({ number }) => number > upTo);
    this.#waitingChars = this.#waiting.reduce((sum, { json }) => sum + json.length, 0);
  }
}
