/**
 * The copies of streams in records that all processes can read: written in the background, renewed while a stream lives, read when its
 * process has gone.
 */
import type { KeptEvent, StreamKey } from './event-store.ts';
import type { EventCopy, MemoryLog } from './memory-event-log.ts';
import { EVENT_BOUNDS } from './memory-event-store.ts';
import type { Peers } from './peers.ts';

/** How long a record lives after it was last written. Milliseconds. */
const LIFE_MS = EVENT_BOUNDS.keepMs;

/** How often the record of a live stream is renewed. Milliseconds. */
const RENEW_MS = LIFE_MS / 2;

/** The field that describes the stream, and the one of a stream that ended without a last event: the number of its last vital event. */
const ABOUT = 'about';
const OVER = 'over';

/** The description of a stream. */
interface About {
  readonly home: string;
  readonly scopes: readonly string[];
  readonly isEndless: boolean;
}

/** The name of the record of a stream. */
export function nameOfRecord({ userId, sessionId, stream }: StreamKey): string {
  // An id of a session, or of a stream, holds no blank.
  return `stream ${sessionId} ${stream} ${userId}`;
}

/** Writes the copies of this process's streams. Nothing waits for that: what could not be written is missing if the process dies. */
export class StreamRecords implements EventCopy {
  readonly #peers: Peers;
  readonly #now: () => number;
  /** When the records of live streams were last written, the longest ago first. */
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

  /** Renews the records of live streams that are due. */
  tick(): void {
    const dueMs = this.#now() - RENEW_MS;
    for (const [log, writtenMs] of this.#written) {
      if (writtenMs > dueMs) return;
      this.begin(log);
    }
  }

  /** Writes everything again: records may have been lost, and lack what was added while they were out of reach. */
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

  /** The description of a stream, as JSON. */
  #about({ scopes, isEndless }: MemoryLog): string {
    return JSON.stringify({ home: this.#peers.self, scopes, isEndless } satisfies About);
  }

  /** Writes fields of a stream's record in the background. */
  #write(log: MemoryLog, fields: Readonly<Record<string, string | undefined>>): void {
    this.#written.delete(log);
    this.#written.set(log, this.#now());
    this.#peers.records.note(nameOfRecord(log.key), fields, LIFE_MS);
  }
}

/** A stream as its copy has it. */
export interface StreamRecord extends About {
  readonly events: readonly KeptEvent[];
  /** Whether the stream had ended. */
  readonly isComplete: boolean;
  /** The events after a number; undefined when a vital one of them is missing. */
  after(number: number): readonly KeptEvent[] | undefined;
}

/** Reads the copy of a stream; undefined where there is none, or its description is missing. */
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

/** Reads the event of a field. */
function readEvent(
  number: number,
  text: string,
): { readonly event: KeptEvent; readonly vitalBefore: number } {
  const [, vital = '', end = '', json = ''] = /^(\d+) (last|more) (.*)$/s.exec(text) ?? [];
  return { event: { number, json, isLast: end === 'last' }, vitalBefore: Number(vital) };
}
