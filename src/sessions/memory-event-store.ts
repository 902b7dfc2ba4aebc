/** The events of streams in the memory of this process, bounded by count, size and age. */
import type { EventStore, LogOptions, Resumption, ResumeOptions, StreamKey } from './event-store.ts';
import { type EventBounds, type EventCopy, type LogKeeper, MemoryLog } from './memory-event-log.ts';

const MEBIBYTE = 1024 * 1024;

/** Twice as much as the slowest client needs that resumes streams. The bound per user keeps one user from displacing others' streams. */
export const EVENT_BOUNDS: EventBounds = {
  maxEventsPerStream: 256,
  maxBytesPerStream: MEBIBYTE,
  maxBytesPerUser: 16 * MEBIBYTE,
  maxBytes: 64 * MEBIBYTE,
  keepMs: 300_000,
};

/** The memory that a stream takes beside its events, roughly. Bytes. */
const STREAM_OVERHEAD = 512;

/** What a store is made from. */
export interface MemoryEventStoreOptions extends Partial<EventBounds> {
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
  /** Keeps a copy of everything where other processes can read it. */
  readonly copy?: EventCopy | undefined;
}

/** The streams of one user, oldest first. */
interface Shelf {
  readonly logs: Set<MemoryLog>;
  bytes: number;
}

/** The store of a server. Where everybody is the same user, the bound per user is lifted. */
export function createMemoryEventStore({ oneUser, ...options }: ServerStoreOptions): MemoryEventStore {
  return new MemoryEventStore({ ...(oneUser && { maxBytesPerUser: Infinity }), ...options });
}

/** What the store of a server is made from. */
export interface ServerStoreOptions extends Pick<MemoryEventStoreOptions, 'copy' | 'now'> {
  readonly oneUser: boolean;
}

/** Keeps events in memory; everything happens at once. */
export class MemoryEventStore implements EventStore, LogKeeper {
  readonly bounds: EventBounds;
  readonly copy: EventCopy | undefined;
  readonly #now: () => number;
  readonly #shelves = new Map<string, Shelf>();
  /** The streams of each session, by their names in it. */
  readonly #sessions = new Map<string, Map<string, MemoryLog>>();
  /** All streams, oldest first. */
  readonly #logs = new Set<MemoryLog>();
  /** The streams that have ended or have no reader, with the time at which they are dropped; the next one first. */
  readonly #fading = new Map<MemoryLog, number>();
  #bytes = 0;

  constructor({ now = () => performance.now(), copy, ...bounds }: MemoryEventStoreOptions = {}) {
    this.copy = copy;
    this.bounds = { ...EVENT_BOUNDS, ...bounds };
    this.#now = now;
  }

  /** How many streams are kept, and how much memory they take, roughly. */
  get size(): { readonly streams: number; readonly bytes: number } {
    return { streams: this.#logs.size, bytes: this.#bytes };
  }

  /** Begins a stream. */
  begin(key: StreamKey, options: LogOptions = {}): MemoryLog {
    const log = new MemoryLog(this, key, options);
    let shelf = this.#shelves.get(key.userId);
    if (shelf === undefined) this.#shelves.set(key.userId, (shelf = { logs: new Set(), bytes: 0 }));
    shelf.logs.add(log);
    this.#logs.add(log);
    const session = nameOf(key);
    let ofSession = this.#sessions.get(session);
    if (ofSession === undefined) this.#sessions.set(session, (ofSession = new Map<string, MemoryLog>()));
    ofSession.set(key.stream, log);
    this.copy?.begin(log);
    this.noteBytes(log, STREAM_OVERHEAD);
    if (log.isForgettable) this.fade(log);
    return log;
  }

  /** Hands a stream to another reader. */
  resume(key: StreamKey, options: ResumeOptions): Resumption {
    return this.find(key)?.resume(options) ?? { outcome: 'lost' };
  }

  /** A stream that is kept. */
  find(key: StreamKey): MemoryLog | undefined {
    return this.#sessions.get(nameOf(key))?.get(key.stream);
  }

  /** All streams that are kept, the oldest first. */
  get logs(): Iterable<MemoryLog> {
    return this.#logs;
  }

  /** Forgets all streams of a session. */
  forget(session: Omit<StreamKey, 'stream'>): void {
    for (const log of this.#sessions.get(nameOf(session))?.values() ?? []) this.drop(log);
  }

  /** Does nothing: all readers here read streams of this process. */
  dismiss(): void {}

  /** Drops the streams whose time is over. */
  tick(): void {
    const nowMs = this.#now();
    for (const [log, dueMs] of this.#fading) {
      if (dueMs > nowMs) return;
      this.drop(log);
    }
  }

  /** Called by a log that may be dropped after a while. */
  fade(log: MemoryLog): void {
    if (!this.#logs.has(log)) return;
    this.#fading.delete(log);
    this.#fading.set(log, this.#now() + this.bounds.keepMs);
  }

  /** Called by a log that is read again. */
  keep(log: MemoryLog): void {
    this.#fading.delete(log);
  }

  /** Called by a log that has grown or shrunk. Beyond a bound the oldest logs are dropped; false for a log that has been dropped itself. */
  noteBytes(log: MemoryLog, bytes: number): boolean {
    const shelf = this.#shelves.get(log.key.userId);
    if (shelf === undefined || !this.#logs.has(log)) return false;
    this.#bytes += bytes;
    shelf.bytes += bytes;
    if (bytes > 0) {
      const { maxBytes, maxBytesPerUser } = this.bounds;
      this.#makeRoom(shelf.logs, () => shelf.bytes > maxBytesPerUser);
      this.#makeRoom(this.#logs, () => this.#bytes > maxBytes);
    }
    return true;
  }

  /** Makes room, oldest first: drops logs that have ended, and empties the others, which may still be read from there on. */
  #makeRoom(logs: ReadonlySet<MemoryLog>, isTooMuch: () => boolean): void {
    let left = logs.size;
    for (const log of logs) {
      if (left === 0 || !isTooMuch()) return;
      left -= 1;
      if (log.isEnded) this.drop(log);
      else this.#empty(log);
    }
  }

  /** Empties a log, and moves it behind those that still hold something. */
  #empty(log: MemoryLog): void {
    this.copy?.letGo(log, log.numbers);
    log.clear();
    for (const logs of [this.#logs, this.#shelves.get(log.key.userId)?.logs]) {
      logs?.delete(log);
      logs?.add(log);
    }
  }

  /** Drops a log. */
  drop(log: MemoryLog): void {
    if (!this.#logs.has(log)) return;
    this.copy?.drop(log);
    log.clear();
    this.noteBytes(log, -STREAM_OVERHEAD);
    this.#logs.delete(log);
    this.#fading.delete(log);
    const { userId, stream } = log.key;
    const shelf = this.#shelves.get(userId);
    shelf?.logs.delete(log);
    if (shelf?.logs.size === 0) this.#shelves.delete(userId);
    const session = nameOf(log.key);
    const ofSession = this.#sessions.get(session);
    if (ofSession?.get(stream) === log) ofSession.delete(stream);
    if (ofSession?.size === 0) this.#sessions.delete(session);
  }
}

/** A key for a session and its user. Session ids hold no blank. */
function nameOf({ sessionId, userId }: Omit<StreamKey, 'stream'>): string {
  return `${sessionId} ${userId}`;
}
