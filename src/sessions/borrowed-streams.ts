/** Streams that are read in this process and written in another: each event once and in order, and an end whatever becomes of that process. */
import type { EventReader, KeptEvent, Resumption, StreamKey } from './event-store.ts';
import { type Batch, type LoanAnswer, type LoanRequest, QUESTIONS } from './lent-streams.ts';
import { createUniqueName, PeerGoneError, type Peers } from './peers.ts';
import type { StreamRecord } from './stream-records.ts';

/** A stream, and how far it has been read. */
export interface BorrowedStream {
  readonly key: StreamKey;
  /** The process that writes it. */
  readonly home: string;
  readonly reader: EventReader;
  /** The number of the last event that has been read. */
  after: number;
}

/** How streams are borrowed. */
export interface BorrowedStreamsOptions {
  readonly peers: Peers;
  readonly now: () => number;
  /** Called when the process that writes a stream has gone; the stream is not borrowed any more. */
  readonly onOrphaned: (stream: BorrowedStream) => void;
  /** Reads the copy of a stream. */
  readonly readCopy: (key: StreamKey) => Promise<StreamRecord | undefined>;
}

/** How often the process that writes a stream is asked whether it still does. Milliseconds. */
const WATCH_MS = 5_000;

/** When a client comes back whose stream nobody knows any more. Milliseconds. */
const COME_BACK_AFTER_MS = 1_000;

/** The streams that this process has from others. */
export class BorrowedStreams {
  readonly #options: BorrowedStreamsOptions;
  readonly #streams = new Map<string, BorrowedStream>();
  #watchedMs: number;

  constructor(options: BorrowedStreamsOptions) {
    this.#options = options;
    this.#watchedMs = options.now();
    options.peers.onAsk(QUESTIONS.bring, (batch: Batch) => this.#take(batch));
  }

  /**
   * Reads on with a stream that another process has; where that fails, `stream.after` says how far it came.
   * @throws {PeerGoneError} when it has gone
   * @throws {PeersUnreachableError} when it does not answer
   */
  async resume(stream: BorrowedStream): Promise<Resumption> {
    const { peers } = this.#options;
    const { key, home, after } = stream;
    const name = this.#add(stream);
    const request: LoanRequest = { key, after, reader: name, borrower: peers.self };
    let answer: LoanAnswer | undefined;
    try {
      answer = await peers.ask<LoanAnswer>(home, QUESTIONS.want, request);
    } finally {
      if (answer?.outcome !== 'resumed') this.#streams.delete(name);
    }
    return answer.outcome === 'resumed' ? this.#resumed(name, answer.missed) : answer;
  }

  /** Has a reader take what is there of a stream, and wait for what becomes of the process that writes it and does not answer. */
  wait(stream: BorrowedStream, events: readonly KeptEvent[]): Resumption {
    const name = this.#add(stream);
    this.#take({ reader: name, events });
    return this.#resumed(name, events.length);
  }

  /** Asks every now and then whether streams are still written. */
  tick(): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#watchedMs < WATCH_MS) return;
    this.#watchedMs = nowMs;
    for (const [name, stream] of this.#streams) void this.#watch(name, stream);
  }

  /** Sends all readers away, to come back elsewhere. */
  dismiss(comeBackAfterMs: number): void {
    for (const [name, { reader }] of this.#streams) {
      this.#release(name);
      reader.leave(comeBackAfterMs);
    }
  }

  #add(stream: BorrowedStream): string {
    const name = createUniqueName();
    this.#streams.set(name, stream);
    return name;
  }

  #resumed(name: string, missed: number): Resumption {
    return { outcome: 'resumed', missed, log: { release: () => this.#release(name) } };
  }

  /** Takes what has come for a reader; false when there is no such reader. */
  #take({ reader: name, events, end }: Batch): boolean {
    const stream = this.#streams.get(name);
    if (stream === undefined) return false;
    for (const event of events) {
      if (event.number <= stream.after) continue;
      stream.after = event.number;
      stream.reader.take(event);
    }
    if (end !== undefined) {
      this.#streams.delete(name);
      stream.reader.leave(end.comeBackAfterMs);
    }
    return true;
  }

  #release(name: string): void {
    const stream = this.#streams.get(name);
    if (!this.#streams.delete(name) || stream === undefined) return;
    // If it does not hear of it, it does with the next event.
    this.#options.peers.ask(stream.home, QUESTIONS.release, { reader: name }).catch(() => undefined);
  }

  async #watch(name: string, stream: BorrowedStream): Promise<void> {
    const { peers, onOrphaned, readCopy } = this.#options;
    try {
      const isThere = await peers.ask<boolean>(stream.home, QUESTIONS.watch, { reader: name });
      if (!isThere && this.#streams.delete(name)) stream.reader.leave(COME_BACK_AFTER_MS);
    } catch (error) {
      if (error instanceof PeerGoneError) {
        if (this.#streams.delete(name)) onOrphaned(stream);
        return;
      }
      // It stands still, or is of a version that does not understand: what it writes reaches the copy, and its client waits for no more.
      const record = await readCopy(stream.key).catch(() => undefined);
      const events = record?.after(stream.after);
      if (events === undefined) return;
      this.#take({ reader: name, events, ...(record?.isComplete === true && { end: {} }) });
    }
  }
}
