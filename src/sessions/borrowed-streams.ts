/** Streams that are read in this process and written in another: each event once and in order, and an end even when that process dies. */
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

/** What is needed to borrow streams. */
export interface BorrowedStreamsOptions {
  readonly peers: Peers;
  readonly now: () => number;
  /** Called when the process that writes a stream has gone; the stream is no longer borrowed. */
  readonly onOrphaned: (stream: BorrowedStream) => void;
  /** Reads the copy of a stream. */
  readonly readCopy: (key: StreamKey) => Promise<StreamRecord | undefined>;
}

/** How often the process that writes a stream is asked whether it still does. Milliseconds. */
const WATCH_MS = 5_000;

/** The `retry` for a client whose stream is known nowhere any more. Milliseconds. */
const COME_BACK_AFTER_MS = 1_000;

/** The streams that this process reads from others. */
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
   * Resumes a stream that another process writes. Where that fails, `stream.after` is the last event that arrived.
   * @throws {PeerGoneError} when that process has gone
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

  /** Hands these events to a reader, which then waits until the process that writes the stream answers again, or is found to be gone. */
  wait(stream: BorrowedStream, events: readonly KeptEvent[]): Resumption {
    const name = this.#add(stream);
    this.#take({ reader: name, events });
    return this.#resumed(name, events.length);
  }

  /** Asks from time to time whether the streams are still written. */
  tick(): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#watchedMs < WATCH_MS) return;
    this.#watchedMs = nowMs;
    for (const [name, stream] of this.#streams) void this.#watch(name, stream);
  }

  /** Sends all readers away, to reconnect to another process. */
  dismiss(comeBackAfterMs: number): void {
    for (const [name, { reader }] of this.#streams) {
      this.#release(name);
      reader.leave(comeBackAfterMs);
    }
  }

  /** Notes a stream under a name for its reader. */
  #add(stream: BorrowedStream): string {
    const name = createUniqueName();
    this.#streams.set(name, stream);
    return name;
  }

  /** The outcome for a reader that goes on. */
  #resumed(name: string, missed: number): Resumption {
    return { outcome: 'resumed', missed, log: { release: () => this.#release(name) } };
  }

  /** Hands a batch to its reader; false when there is no such reader. */
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

  /** Gives a stream back: its reader has gone. */
  #release(name: string): void {
    const stream = this.#streams.get(name);
    if (!this.#streams.delete(name) || stream === undefined) return;
    // If this does not arrive, the other process learns it with the next event.
    this.#options.peers.ask(stream.home, QUESTIONS.release, { reader: name }).catch(() => undefined);
  }

  /** Asks whether one stream is still written. */
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
      // It hangs, or is of a version that does not know the question: the reader gets what has reached the copy.
      const record = await readCopy(stream.key).catch(() => undefined);
      const events = record?.after(stream.after);
      if (events === undefined) return;
      this.#take({ reader: name, events, ...(record?.isComplete === true && { end: {} }) });
    }
  }
}
