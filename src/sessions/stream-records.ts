/** The copies of streams in records that every process can read: written behind, renewed as long as a stream lives, and read when its process has gone. */
import type { KeptEvent, StreamKey } from './event-store.ts';
import type { EventCopy, MemoryLog } from './memory-event-log.ts';
import { EVENT_BOUNDS } from './memory-event-store.ts';
import type { Peers } from './peers.ts';

/** A record lives so long after it was last written. Milliseconds. */
const LIFE_MS = EVENT_BOUNDS.keepMs;

/** The record of a stream that lives is renewed so often. Milliseconds. */
const RENEW_MS = LIFE_MS / 2;

/** The field that says what stream it is, and the one of a stream that ended without a last event, with the last number that must be there. */
const ABOUT = 'about';
const OVER = 'over';

/** What is said of a stream. */
interface About {
  readonly home: string;
  readonly scopes: readonly string[];
  readonly isEndless: boolean;
}

/** Where the copy of a stream is. */
export function nameOfRecord({ userId, sessionId, stream }: StreamKey): string {
  // An id of a session, or of a stream, holds no blank.
  return `stream ${sessionId} ${stream} ${userId}`;
}

/** Writes the copies of this process's streams. Nobody waits for it: what cannot be written is missing should the process end. */
export class StreamRecords implements EventCopy {
  readonly #peers: Peers;
  readonly #now: () => number;
  /** When the records of streams that live were written, the longest ago first. */
  readonly #written = new Map<MemoryLog, number>();

  constructor(peers: Peers, now: () => number) {
    this.#peers = peers;
    this.#now = now;
  }

  begin(log: MemoryLog): void {
    this.#write(log, { [ABOUT]: this.#about(log) });
  }

  keep(log: MemoryLog, event: KeptEvent, vitalBefore: number): void {
    this.#write(log, { [event.number]: spellEvent(event, vitalBefore) });
    if (event.isLast) this.#written.delete(log);
  }

  letGo(log: MemoryLog, numbers: readonly number[]): void {
    if (numbers.length > 0)
      this.#write(log, Object.fromEntries(numbers.map((number) => [number, undefined])));
  }

  end(log: MemoryLog): void {
    this.#write(log, { [OVER]: String(log.vitalNumber) });
    this.#written.delete(log);
  }

  drop(log: MemoryLog): void {
    this.#written.delete(log);
    this.#peers.records.remove(nameOfRecord(log.key)).catch(() => undefined);
  }

  /** Renews the records of streams that live. */
  tick(): void {
    const dueMs = this.#now() - RENEW_MS;
    for (const [log, writtenMs] of this.#written) {
      if (writtenMs > dueMs) return;
      this.begin(log);
    }
  }

  /** Writes everything again: what is shared may have been lost, and what was added while it was out of reach is not there. */
  renewAll(logs: Iterable<MemoryLog>): void {
    for (const log of logs) {
      const fields: Record<string, string> = { [ABOUT]: this.#about(log) };
      let isOver = log.isEnded;
      for (const [event, vitalBefore] of log.kept()) {
        fields[event.number] = spellEvent(event, vitalBefore);
        if (event.isLast) isOver = false;
      }
      this.#write(log, { ...fields, ...(isOver && { [OVER]: String(log.vitalNumber) }) });
      if (log.isEnded) this.#written.delete(log);
    }
  }

  #about({ scopes, isEndless }: MemoryLog): string {
    return JSON.stringify({ home: this.#peers.self, scopes, isEndless } satisfies About);
  }

  #write(log: MemoryLog, fields: Readonly<Record<string, string | undefined>>): void {
    this.#written.delete(log);
    this.#written.set(log, this.#now());
    this.#peers.records.note(nameOfRecord(log.key), fields, LIFE_MS);
  }
}

/** A stream as its copy has it. */
export interface StreamRecord extends About {
  readonly events: readonly KeptEvent[];
  /** Whether nothing more would have come. */
  readonly isComplete: boolean;
  /** The events after one; undefined when one is missing that a client cannot do without. */
  after(number: number): readonly KeptEvent[] | undefined;
}

/** Reads the copy of a stream; undefined where there is none, or where it does not say whose it is. */
export function readStreamRecord(fields: ReadonlyMap<string, string>): StreamRecord | undefined {
  const about = fields.get(ABOUT);
  if (about === undefined) return undefined;
  const entries = [...fields]
    .filter(([field]) => field !== ABOUT && field !== OVER)
    .map(([field, text]) => readEvent(Number(field), text))
    .toSorted((one, other) => one.event.number - other.event.number);
  const events = entries.map(({ event }) => event);
  const known = new Set(events.map(({ number }) => number));
  const over = fields.get(OVER);
  return {
    // oxlint-disable-next-line no-unsafe-type-assertion -- only a process of this server can have sealed it
    ...(JSON.parse(about) as About),
    events,
    isComplete: over !== undefined || events.at(-1)?.isLast === true,
    after(number) {
      const missed = entries.filter(({ event }) => event.number > number);
      const needed = [...missed.map(({ vitalBefore }) => vitalBefore), Number(over ?? 0)];
      const isWhole = needed.every((vital) => vital <= number || known.has(vital));
      return isWhole ? missed.map(({ event }) => event) : undefined;
    },
  };
}

/** An event as a field of the record, whose name is its number. */
function spellEvent({ json, isLast }: KeptEvent, vitalBefore: number): string {
  return `${vitalBefore} ${isLast ? 'last' : 'more'} ${json}`;
}

/** The event of a field. */
function readEvent(
  number: number,
  text: string,
): { readonly event: KeptEvent; readonly vitalBefore: number } {
  const [, vital = '', end = '', json = ''] = /^(\d+) (last|more) (.*)$/s.exec(text) ?? [];
  return { event: { number, json, isLast: end === 'last' }, vitalBefore: Number(vital) };
}
