/** The ids of sessions: random ones for a process that is alone, or sealed ones, with which any process that has the secret can serve the session. */
import { hash, randomUUID } from 'node:crypto';
import { BoundedMap } from '../bounded-map.ts';
import type { Sealer } from '../sealed.ts';
import type { SessionKind } from './registry.ts';

/** The content of a sealed id. */
export interface SessionFacts {
  readonly kind: Exclude<SessionKind, 'subscription'>;
  readonly userId: string;
  /** What another process must know to serve the session; undefined where that cannot be put into an id. */
  readonly notes: string | undefined;
}

/** Makes and reads the ids of sessions. */
export interface SessionIds {
  /** Makes an id that nobody can guess. */
  create(facts: SessionFacts): string;
  /**
   * The notes of a session that was opened elsewhere, or that was opened here and evicted. Undefined when it has been ended, is too old, is
   * another user's or of another kind, or when no process of this server made the id.
   */
  read(id: string, asked: Omit<SessionFacts, 'notes'>): string | undefined;
  /** Notes that the client has ended a session. */
  noteEnded(id: string): void;
}

/** Random ids: a session lives only in the process that opened it. */
export const RANDOM_IDS: SessionIds = {
  create: () => randomUUID(),
  read: () => undefined,
  noteEnded: () => undefined,
};

/** What sealed ids are made with. */
export interface SealedIdsOptions {
  readonly sealer: Sealer;
  /** Ids of Streamable HTTP that are older are refused. One of HTTP+SSE is valid as long as its stream is open. */
  readonly maxAgeMs: number;
  /** The time of day, on which the machines of all processes roughly agree. */
  readonly now?: () => number;
}

/** How far the clock of the process that made an id may be ahead: each of the two may be wrong by five minutes. Milliseconds. */
const MAX_SKEW_MS = 600_000;

/** Longer notes are not put into an id: it is sent with every request, and proxies allow heads of 8 KiB. Bytes. */
export const MAX_NOTES_BYTES = 1_000;

/** How many of the latest ends are remembered. An older id opens a session again, but only for its own user. */
const MAX_ENDED = 10_000;

/** How many opened ids are remembered: every message of HTTP+SSE comes with the id of its session. */
const MAX_OPENED = 1_000;

/** An id that has been opened. */
interface OpenedId extends SessionFacts {
  readonly notes: string;
  /** When it was made. */
  readonly madeAtMs: number;
}

/** Makes and reads ids that are sealed. */
export function createSealedIds({ sealer, maxAgeMs, now = Date.now }: SealedIdsOptions): SessionIds {
  const ended = new BoundedMap<string, true>(MAX_ENDED);
  const opened = new BoundedMap<string, OpenedId>(MAX_OPENED);
  /** Opens an id for its user, and remembers it. */
  const open = (id: string, { kind, userId }: Omit<SessionFacts, 'notes'>): OpenedId | undefined => {
    const bytes = sealer.open(PURPOSE, id);
    if (bytes === undefined || bytes[0] !== FORMAT || bytes[1] !== KIND_CODES[kind]) return undefined;
    if (!ownerOf(userId).equals(bytes.subarray(OWNER_AT, HEAD_BYTES))) return undefined;
    const madeAtMs = bytes.readUInt32BE(2) * 1000;
    const found = { kind, userId, madeAtMs, notes: bytes.toString('utf8', HEAD_BYTES) };
    opened.set(id, found);
    return found;
  };
  return {
    create({ kind, userId, notes }) {
      if (notes === undefined || Buffer.byteLength(notes) > MAX_NOTES_BYTES) return randomUUID();
      const head = Buffer.alloc(HEAD_BYTES);
      head[0] = FORMAT;
      head[1] = KIND_CODES[kind];
      head.writeUInt32BE(Math.floor(now() / 1000), 2);
      ownerOf(userId).copy(head, OWNER_AT);
      return sealer.seal(PURPOSE, Buffer.concat([head, Buffer.from(notes)]));
    },
    read(id, asked) {
      if (ended.has(id)) return undefined;
      const known = opened.get(id) ?? open(id, asked);
      if (known?.kind !== asked.kind || known.userId !== asked.userId) return undefined;
      // These notes name the process that has the stream. That process decides how long the session lives.
      if (known.kind === 'sse') return known.notes;
      const ageMs = now() - known.madeAtMs;
      return ageMs > maxAgeMs || ageMs < -MAX_SKEW_MS ? undefined : known.notes;
    },
    noteEnded(id) {
      ended.set(id, true);
      opened.delete(id);
    },
  };
}

/** The purpose of the sealing key. */
const PURPOSE = 'session id';

/** The version of the format; ids of any other are refused. */
const FORMAT = 1;

const KIND_CODES: Readonly<Record<SessionFacts['kind'], number>> = { 'streamable-http': 1, sse: 2 };

/** The position of the owner's digest, behind format, kind and the second of opening; the notes follow it. */
const OWNER_AT = 6;
const OWNER_BYTES = 16;
const HEAD_BYTES = OWNER_AT + OWNER_BYTES;

/** A digest of the user's id, which has one length however long that is. */
function ownerOf(userId: string): Buffer {
  return hash('sha256', userId, 'buffer').subarray(0, OWNER_BYTES);
}
