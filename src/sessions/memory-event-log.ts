/** The events of one stream in memory: a ring that lets go first of what a client can do without. */
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

/** What bounds a store. */
export interface EventBounds {
  readonly maxEventsPerStream: number;
  readonly maxBytesPerStream: number;
  /** So much of one user's; then that user's oldest streams go first. */
  readonly maxBytesPerUser: number;
  readonly maxBytes: number;
  /** How long a stream is kept after its end. */
  readonly keepMs: number;
}

/** Has what a store keeps elsewhere, too. */
export interface EventCopy {
  /** Hears of a stream that begins. */
  begin(log: MemoryLog): void;
  /** Hears of an event that is kept, and of the last one before it that a client cannot do without; none comes after one that is the last. */
  keep(log: MemoryLog, event: KeptEvent, vitalBefore: number): void;
  /** Hears of events that are kept no more. */
  letGo(log: MemoryLog, numbers: readonly number[]): void;
  /** Hears that no event will come any more, though none was the last. */
  end(log: MemoryLog): void;
  /** Hears of a stream that is kept no more. */
  drop(log: MemoryLog): void;
}

/** What a log asks of the store that it stands in. */
export interface LogKeeper {
  readonly bounds: EventBounds;
  readonly copy: EventCopy | undefined;
  /** Hears that a log may go after a while. */
  fade(log: MemoryLog): void;
  /** Lets go of a log. */
  drop(log: MemoryLog): void;
  /** Hears that a log is read again. */
  keep(log: MemoryLog): void;
  /** Hears that a log has become larger or smaller; false where it is not kept any more. */
  noteBytes(log: MemoryLog, bytes: number): boolean;
}

/** What an event costs beside its text, about. Bytes. */
const EVENT_OVERHEAD = 96;

/** An event with what only its log wants to know. */
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
  /** The last event that is not kept, though its client could not do without it. */
  #lostNumber = 0;
  /** The last event that a client cannot do without. */
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

  /** Whether it need not be kept for ever. */
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

  /** Hands it to another reader. */
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

  /** The number of the last event that a client cannot do without. */
  get vitalNumber(): number {
    return this.#vitalNumber;
  }

  /** The events after one; undefined when some are not kept that a client cannot do without. */
  after(number: number): readonly KeptEvent[] | undefined {
    if (number < this.#lostNumber) return undefined;
    return this.#entries.flatMap(({ event }) => (event.number > number ? [event] : []));
  }

  /** All that is kept, for a copy: each event with the last one before it that a client cannot do without. */
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

  /** Lets go of all events. */
  clear(): void {
    this.#lostNumber = this.#entries.findLast(isVital)?.event.number ?? this.#lostNumber;
    this.#entries = [];
    this.#store.noteBytes(this, -this.#bytes);
    this.#bytes = 0;
  }

  #finish(): void {
    this.isEnded = true;
    this.#reader?.leave();
    this.#reader = undefined;
    this.#store.fade(this);
  }

  /** Keeps an event, and lets others go where there is no room. */
  #keep(entry: Entry): void {
    const { maxEventsPerStream, maxBytesPerStream } = this.#store.bounds;
    if (!this.#store.noteBytes(this, entry.bytes)) return;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    this.#store.copy?.keep(this, entry.event, this.#vitalNumber);
    if (isVital(entry)) this.#vitalNumber = entry.event.number;
    while (this.#entries.length > maxEventsPerStream || this.#bytes > maxBytesPerStream) this.#letOneGo();
  }

  /** Lets the oldest go that its client can do without, or else the oldest. */
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

/** Whether a client cannot do without an event. */
function isVital({ isExpendable }: Entry): boolean {
  return !isExpendable;
}
