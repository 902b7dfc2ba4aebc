/** The events of one stream in memory, bounded: expendable events are dropped first, then the oldest. */
import type {
  EventLog,
  EventReader,
  KeptEvent,
  LogOptions,
  NewEvent,
  Resumption,
  ResumeOptions,
  StreamKey,
} from './event-store.ts';

/** The bounds of a store. */
export interface EventBounds {
  readonly maxEventsPerStream: number;
  readonly maxBytesPerStream: number;
  /** The bound of one user's streams together; beyond it that user's oldest streams are dropped. */
  readonly maxBytesPerUser: number;
  readonly maxBytes: number;
  /** How long a stream is kept after its end. */
  readonly keepMs: number;
}

/** Keeps a copy of the store's streams where other processes can read it. */
export interface EventCopy {
  /** Called when a stream begins. */
  begin(log: MemoryLog): void;
  /** Called when an event is kept. `vitalBefore` is the number of the last vital event before it. After an event with `isLast` none follows. */
  keep(log: MemoryLog, event: KeptEvent, vitalBefore: number): void;
  /** Called when events have been dropped. */
  letGo(log: MemoryLog, numbers: readonly number[]): void;
  /** Called when a stream has ended without an event that was marked as its last. */
  end(log: MemoryLog): void;
  /** Called when a whole stream has been dropped. */
  drop(log: MemoryLog): void;
}

/** The store, as its logs see it. */
export interface LogKeeper {
  readonly bounds: EventBounds;
  readonly copy: EventCopy | undefined;
  /** Drops a log after a while, unless it is read again. */
  fade(log: MemoryLog): void;
  /** Drops a log. */
  drop(log: MemoryLog): void;
  /** Undoes `fade`: the log is read again. */
  keep(log: MemoryLog): void;
  /** Notes that a log has grown or shrunk by so many bytes; false when it has been dropped. */
  noteBytes(log: MemoryLog, bytes: number): boolean;
}

/** The memory that an event takes beside its text, roughly. Bytes. */
const EVENT_OVERHEAD = 96;

/** An event as its log keeps it. */
interface Entry {
  readonly event: KeptEvent;
  readonly bytes: number;
  readonly isExpendable: boolean;
}

/** The events of one stream. */
export class MemoryLog implements EventLog {
  readonly key: StreamKey;
  readonly #store: LogKeeper;
  readonly scopes: readonly string[];
  readonly isEndless: boolean;
  #entries: Entry[] = [];
  #bytes = 0;
  #lastNumber = 0;
  /** The number of the last vital event that was dropped; 0 while none was. */
  #lostNumber = 0;
  /** The number of the last vital event. */
  #vitalNumber = 0;
  #reader: EventReader | undefined;
  isEnded = false;

  constructor(store: LogKeeper, key: StreamKey, { reader, scopes = [], isEndless = false }: LogOptions) {
    this.#store = store;
    this.key = key;
    this.#reader = reader;
    this.scopes = scopes;
    this.isEndless = isEndless;
  }

  /** Whether the store may drop it after a while. */
  get isForgettable(): boolean {
    return this.isEnded || (this.isEndless && this.#reader === undefined);
  }

  append({ json, isExpendable = false, isLast = false }: NewEvent): void {
    if (this.isEnded) return;
    this.#lastNumber += 1;
    const event = { number: this.#lastNumber, json, isLast };
    this.#keep({ event, bytes: Buffer.byteLength(json) + EVENT_OVERHEAD, isExpendable });
    this.#reader?.take(event);
    if (isLast) this.#finish();
  }

  release(reader: EventReader): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    if (this.isForgettable && !this.isEnded) this.#store.fade(this);
  }

  dismiss(comeBackAfterMs: number): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    reader.leave(comeBackAfterMs);
    this.release(reader);
  }

  end(): void {
    if (this.isEnded) return;
    this.#store.copy?.end(this);
    this.#finish();
  }

  abandon(comeBackAfterMs: number): void {
    this.dismiss(comeBackAfterMs);
    this.#store.drop(this);
  }

  /** Hands the stream to another reader. */
  resume({ after, reader, mayRead }: ResumeOptions): Resumption {
    if (!mayRead(this.scopes)) return { outcome: 'forbidden' };
    if (after > this.#lastNumber) return { outcome: 'unknown_event' };
    if (this.isEnded && after === this.#lastNumber) return { outcome: 'ended' };
    const missed = this.after(after);
    if (missed === undefined) return { outcome: 'lost' };
    this.#reader?.leave();
    this.#reader = reader;
    for (const event of missed) reader.take(event);
    if (this.isEnded) {
      reader.leave();
      this.#reader = undefined;
    } else this.#store.keep(this);
    return { outcome: 'resumed', missed: missed.length, log: this };
  }

  /** The number of the last vital event. */
  get vitalNumber(): number {
    return this.#vitalNumber;
  }

  /** The events after a number; undefined when a vital one of them was dropped. */
  after(number: number): readonly KeptEvent[] | undefined {
    if (number < this.#lostNumber) return undefined;
    return this.#entries.flatMap(({ event }) => (event.number > number ? [event] : []));
  }

  /** All events that are kept, for a copy, each with the number of the last vital event before it. */
  *kept(): Generator<readonly [event: KeptEvent, vitalBefore: number]> {
    let vital = this.#lostNumber;
    for (const entry of this.#entries) {
      yield [entry.event, vital];
      if (isVital(entry)) vital = entry.event.number;
    }
  }

  /** The numbers of the events that are kept. */
  get numbers(): number[] {
    return this.#entries.map(({ event }) => event.number);
  }

  /** Drops all events. */
  clear(): void {
    this.#lostNumber = this.#entries.findLast(isVital)?.event.number ?? this.#lostNumber;
    this.#entries = [];
    this.#store.noteBytes(this, -this.#bytes);
    this.#bytes = 0;
  }

  /** Ends the stream: its reader leaves, and the log fades. */
  #finish(): void {
    this.isEnded = true;
    this.#reader?.leave();
    this.#reader = undefined;
    this.#store.fade(this);
  }

  /** Keeps an event, and drops others where the bounds are exceeded. */
  #keep(entry: Entry): void {
    const { maxEventsPerStream, maxBytesPerStream } = this.#store.bounds;
    if (!this.#store.noteBytes(this, entry.bytes)) return;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    this.#store.copy?.keep(this, entry.event, this.#vitalNumber);
    if (isVital(entry)) this.#vitalNumber = entry.event.number;
    while (this.#entries.length > maxEventsPerStream || this.#bytes > maxBytesPerStream) this.#letOneGo();
  }

  /** Drops the oldest expendable event, or else the oldest. */
  #letOneGo(): void {
    const expendable = this.#entries.findIndex(({ isExpendable }) => isExpendable);
    const [gone] = this.#entries.splice(Math.max(expendable, 0), 1);
    if (gone === undefined) return;
    if (isVital(gone)) this.#lostNumber = gone.event.number;
    this.#bytes -= gone.bytes;
    this.#store.noteBytes(this, -gone.bytes);
    this.#store.copy?.letGo(this, [gone.event.number]);
  }
}

/** Whether a client cannot do without an event, as without a response. */
function isVital({ isExpendable }: Entry): boolean {
  return !isExpendable;
}
