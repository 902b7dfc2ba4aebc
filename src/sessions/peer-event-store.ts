/**
 * The event store where several processes serve. A stream is kept in the process that writes it, and copied to a record that all can read.
 * A client that resumes it in another process is served by the process that writes it, or from the copy when that process has gone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BorrowedStreams, type BorrowedStream } from './borrowed-streams.ts';
import type {
  EventLog,
  EventStore,
  KeptEvent,
  LogOptions,
  Resumption,
  ResumeOptions,
  StreamKey,
} from './event-store.ts';
import { LentStreams } from './lent-streams.ts';
import { createMemoryEventStore, type MemoryEventStore } from './memory-event-store.ts';
import { PeerGoneError, type Peers, PeersUnreachableError } from './peers.ts';
import { nameOfRecord, readStreamRecord, StreamRecords, type StreamRecord } from './stream-records.ts';

/** What the store is made from. */
export interface PeerEventStoreOptions {
  readonly peers: Peers;
  readonly log: Logger;
  /** Whether everybody is the same user. */
  readonly oneUser: boolean;
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
}

/** How long a client waits for the other processes to be within reach again: some clients give up on a 503 here. Milliseconds. */
const PATIENCE_MS = 5_000;

/** The pause between two tries meanwhile. Milliseconds. */
const RETRY_MS = 100;

/** The pauses before a record that was not found is read again. Milliseconds. */
const LOOK_AGAIN_MS = [5, 20, 75];

/** The `retry` for clients of a session's own stream that goes on in another process. Milliseconds. */
const COME_BACK_AFTER_MS = 500;

/** Keeps the events of this process's streams, and reads those of others. */
export class PeerEventStore implements EventStore {
  readonly #options: Required<PeerEventStoreOptions>;
  readonly #here: MemoryEventStore;
  readonly #copies: StreamRecords;
  readonly #borrowed: BorrowedStreams;
  readonly lent: LentStreams;
  /** When the other processes last came back within reach. */
  #backMs = -Infinity;

  constructor({ now = () => performance.now(), ...options }: PeerEventStoreOptions) {
    const { peers, oneUser } = options;
    this.#options = { ...options, now };
    this.#copies = new StreamRecords(peers, now);
    this.#here = createMemoryEventStore({ oneUser, now, copy: this.#copies });
    this.lent = new LentStreams(peers, (key) => this.#here.find(key));
    this.#borrowed = new BorrowedStreams({
      peers,
      now,
      readCopy: async (key) => this.#readOnce(key),
      onOrphaned: (stream) => void this.#finish(stream).catch(() => stream.reader.leave(COME_BACK_AFTER_MS)),
    });
    peers.onReturn(() => {
      this.#backMs = now();
      this.#copies.renewAll(this.#here.logs);
    });
  }

  /** Begins a stream. */
  begin(key: StreamKey, options?: LogOptions): EventLog {
    return this.#here.begin(key, options);
  }

  /** Hands a stream to another reader, whichever process writes it. */
  resume(key: StreamKey, options: ResumeOptions): Resumption | Promise<Resumption> {
    const here = this.#here.resume(key, options);
    return here.outcome === 'lost' ? this.#resumeElsewhere(key, options) : here;
  }

  /** Forgets all streams of a session that are written here; the other processes do the same with theirs. */
  forget(session: Omit<StreamKey, 'stream'>): void {
    this.#here.forget(session);
  }

  /** Drops, renews and checks what is due. */
  tick(): void {
    this.#here.tick();
    this.#copies.tick();
    this.#borrowed.tick();
  }

  /** Sends away the readers of streams that another process writes, and the readers elsewhere of streams that this one writes. */
  dismiss(comeBackAfterMs: number): void {
    this.lent.dismiss(comeBackAfterMs);
    this.#borrowed.dismiss(comeBackAfterMs);
  }

  /** Resumes a stream that another process writes, or has written. */
  async #resumeElsewhere(key: StreamKey, options: ResumeOptions): Promise<Resumption> {
    const { peers } = this.#options;
    const record = await this.#find(key);
    if (record === undefined) return LOST;
    if (!options.mayRead(record.scopes)) return { outcome: 'forbidden' };
    const read = record.isComplete ? replay(record, options) : LOST;
    if (read.outcome !== 'lost') return read;
    if (record.home === peers.self) return LOST;
    const stream = { key, home: record.home, reader: options.reader, after: options.after };
    try {
      return await this.#borrowed.resume(stream);
    } catch (error) {
      // Some events may have arrived although the answer has not: `stream.after` counts them.
      if (error instanceof PeerGoneError) return replay(record, stream);
      if (!(error instanceof PeersUnreachableError)) throw error;
      // The process was killed a moment ago, or will answer soon: the reader gets what the copy has, and waits until one of them shows.
      return this.#borrowed.wait(stream, record.after(stream.after) ?? []);
    }
  }

  /** The copy of a stream; waits a moment for one that is not there yet. */
  async #find(key: StreamKey): Promise<StreamRecord | undefined> {
    for (let looks = 1; ; looks += 1) {
      const record = await this.#read(key);
      // A client may be faster than the copy of its stream. After the loss of all copies each process writes its own again as soon as it is
      // back, and others may do so later than this one.
      const isJustBack = this.#options.now() - this.#backMs < PATIENCE_MS;
      const pauseMs = LOOK_AGAIN_MS[looks - 1] ?? (isJustBack ? RETRY_MS : undefined);
      if (record !== undefined || pauseMs === undefined) return record;
      await delay(pauseMs, undefined, { ref: false });
    }
  }

  /** The copy of a stream; waits a while for the other processes to be within reach. */
  async #read(key: StreamKey): Promise<StreamRecord | undefined> {
    const { now } = this.#options;
    const untilMs = now() + PATIENCE_MS;
    for (;;)
      try {
        return await this.#readOnce(key);
      } catch (error) {
        if (!(error instanceof PeersUnreachableError) || now() >= untilMs) throw error;
        await delay(RETRY_MS, undefined, { ref: false });
      }
  }

  /**
   * The copy of a stream.
   * @throws {PeersUnreachableError} when it cannot be read
   */
  async #readOnce(key: StreamKey): Promise<StreamRecord | undefined> {
    return readStreamRecord(await this.#options.peers.records.read(nameOfRecord(key)));
  }

  /** Finishes a stream whose process has gone, from its copy. */
  async #finish({ key, reader, after }: BorrowedStream): Promise<void> {
    const record = await this.#read(key);
    const { outcome } = record === undefined ? LOST : replay(record, { after, reader });
    if (outcome === 'ended') return reader.leave();
    if (outcome === 'lost' && record?.isEndless === true) reader.leave(COME_BACK_AFTER_MS);
    else if (outcome === 'lost') reader.lose(record?.events ?? []);
    this.#options.log.info({ userId: key.userId, outcome }, 'stream outlived its process');
  }
}

const LOST: Resumption = { outcome: 'lost' };

/** Has a reader read a stream from its copy, to which nothing will be added. */
function replay(
  record: StreamRecord,
  { after, reader }: Pick<ResumeOptions, 'after' | 'reader'>,
): Resumption {
  const missed = record.after(after);
  if (missed === undefined || (missed.length === 0 && !record.isComplete)) return LOST;
  if (missed.length === 0) return { outcome: 'ended' };
  for (const event of missed) reader.take(event);
  end(record, reader);
  return { outcome: 'resumed', missed: missed.length, log: { release: () => undefined } };
}

/** Ends the reading of a copy, as the stream itself would have ended. */
function end(
  record: StreamRecord,
  reader: { leave(ms?: number): void; lose(said: readonly KeptEvent[]): void },
) {
  if (record.isComplete) reader.leave();
  // The session's own messages go on, on another stream.
  else if (record.isEndless) reader.leave(COME_BACK_AFTER_MS);
  else reader.lose(record.events);
}
