/** The ids of sessions: at random, and so good in this process alone, or sealed, so that every process with the secret can go on with the session. */
import { hash, randomUUID } from 'node:crypto';
import type { Sealer } from '../sealed.ts';
import type { SessionKind } from './registry.ts';

/** What an id says to those who can open it. */
export interface SessionFacts {
  readonly kind: Exclude<SessionKind, 'subscription'>;
  readonly userId: string;
  /** What its connection has to know to be made anew; undefined where it knows more than can be told. */
  readonly notes: string | undefined;
}

/** Makes and reads the ids of sessions. */
export interface SessionIds {
  /** An id that nobody can guess. */
  create(facts: SessionFacts): string;
  /**
   * The notes of a session that was opened elsewhere, or here and has made room for another. Undefined when it has been ended, is too
   * old, somebody else's, of another kind, or when there is none.
   */
  read(id: string, asked: Omit<SessionFacts, 'notes'>): string | undefined;
  /** Notes that a session's client is done with it. */
  noteEnded(id: string): void;
}

/** Ids that say nothing: a session lives in the process that opened it. */
export const RANDOM_IDS: SessionIds = {
  create: () => randomUUID(),
  read: () => undefined,
  noteEnded: () => undefined,
};

/** What sealed ids are made with. */
export interface SealedIdsOptions {
  readonly sealer: Sealer;
  /** An older id of Streamable HTTP is as good as none. One of HTTP+SSE is good for as long as its stream is open. */
  readonly maxAgeMs: number;
  /** The time that the machines of all processes agree on, more or less. */
  readonly now?: () => number;
}

/** The clock of the process that made an id may be ahead by so much: each may be wrong by five minutes. Milliseconds. */
const MAX_SKEW_MS = 600_000;

/** Longer notes make no id: it goes with each request, and proxies allow heads of 8 KiB. Bytes. */
export const MAX_NOTES_BYTES = 1_000;

/** So many ended sessions are remembered, the latest. An id that is older again opens its own user's sessions only. */
const MAX_ENDED = 10_000;

/** So many ids are known from the last time: messages of HTTP+SSE come one after the other, each with its session's id to be opened. */
const MAX_OPENED = 1_000;

/** What an id has been found to say. */
interface OpenedId extends SessionFacts {
  readonly notes: string;
  /** When it was made. */
  readonly madeAtMs: number;
}

/** Ids that are sealed. */
export function createSealedIds({ sealer, maxAgeMs, now = Date.now }: SealedIdsOptions): SessionIds {
  const ended = new Set<string>();
  const opened = new Map<string, OpenedId>();
  /** Opens an id for somebody whose it is, and knows it from then on. */
  const open = (id: string, { kind, userId }: Omit<SessionFacts, 'notes'>): OpenedId | undefined => {
    const bytes = sealer.open(PURPOSE, id);
    if (bytes === undefined || bytes[0] !== FORMAT || bytes[1] !== KIND_CODES[kind]) return undefined;
    if (!ownerOf(userId).equals(bytes.subarray(OWNER_AT, HEAD_BYTES))) return undefined;
    const madeAtMs = bytes.readUInt32BE(2) * 1000;
    const found = { kind, userId, madeAtMs, notes: bytes.toString('utf8', HEAD_BYTES) };
    opened.set(id, found);
    const [oldest = ''] = opened.keys();
    if (opened.size > MAX_OPENED) opened.delete(oldest);
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
      // It names the process that has its stream, which knows best how long that is open: here as there.
      if (known.kind === 'sse') return known.notes;
      const ageMs = now() - known.madeAtMs;
      return ageMs > maxAgeMs || ageMs < -MAX_SKEW_MS ? undefined : known.notes;
    },
    noteEnded(id) {
      ended.add(id);
      opened.delete(id);
      const [oldest = ''] = ended;
      if (ended.size > MAX_ENDED) ended.delete(oldest);
    },
  };
}

/** What the key is for. */
const PURPOSE = 'session id';

/** The form of what follows it. Another version's is none of ours. */
const FORMAT = 1;

const KIND_CODES: Readonly<Record<SessionFacts['kind'], number>> = { 'streamable-http': 1, sse: 2 };

/** Where the digest of the owner stands, after format, kind and the second of the opening, and where the notes do. */
const OWNER_AT = 6;
const OWNER_BYTES = 16;
const HEAD_BYTES = OWNER_AT + OWNER_BYTES;

/** What stands for a user: ids have one length, however long a user's is. */
function ownerOf(userId: string): Buffer {
  return hash('sha256', userId, 'buffer').subarray(0, OWNER_BYTES);
}
