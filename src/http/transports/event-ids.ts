/**
 * The ids of events, with which a client (by `Last-Event-ID`) resumes a stream: `p.<stream>.<number>.<requests>`. Each names its stream,
 * and proves that it was made for the session in which it is used.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { RequestId } from '../../mcp/messages.ts';

/** The kind of a stream: the response to a POST, or the session's own stream (GET). */
export type StreamKind = 'post' | 'get';

const LETTERS: Readonly<Record<StreamKind, string>> = { post: 'p', get: 'g' };

/** Request ids that are longer than this, together and as JSON, are left out. Bytes. */
const MAX_REQUESTS_BYTES = 64;

/** The ids of one stream's events. */
export class EventIds {
  readonly kind: StreamKind;
  /** Names the stream in its session. */
  readonly stream: string;
  readonly #requests: string;

  constructor(kind: StreamKind, stream: string, requests: string) {
    this.kind = kind;
    this.stream = stream;
    this.#requests = requests;
  }

  /** The ids of the requests that the stream answers, so that they can be answered when nothing else is known of it. Empty if left out. */
  get requestIds(): readonly RequestId[] {
    if (this.#requests === '') return [];
    // oxlint-disable-next-line no-unsafe-type-assertion -- the proof says that it was written below
    return JSON.parse(Buffer.from(this.#requests, 'base64url').toString()) as RequestId[];
  }

  /** The id of an event; no event follows one that is the last. Number 0 stands for the beginning of the stream. */
  spell(number: number, isLast = false): string {
    const end = isLast ? 'e' : '';
    const requests = this.#requests === '' ? '' : `.${this.#requests}`;
    return `${LETTERS[this.kind]}.${this.stream}.${number}${end}${requests}`;
  }
}

/** Makes the ids of a new stream. */
export function createEventIds(
  sessionId: string,
  kind: StreamKind,
  requestIds: readonly RequestId[] = [],
): EventIds {
  const spelled = Buffer.from(JSON.stringify(requestIds));
  const isNamed = requestIds.length > 0 && spelled.length <= MAX_REQUESTS_BYTES;
  const requests = isNamed ? spelled.toString('base64url') : '';
  const nonce = randomBytes(6).toString('base64url');
  return new EventIds(kind, nonce + proofOf(sessionId, [LETTERS[kind], nonce, requests]), requests);
}

/** The parts of an event id. */
export interface EventRef {
  readonly ids: EventIds;
  readonly number: number;
  readonly isLast: boolean;
}

/** Reads an id; undefined for one that was not made for this session. */
export function readEventId(sessionId: string, id: string): EventRef | undefined {
  const [, letter = '', nonce = '', proof = '', number, end, requests = ''] = PATTERN.exec(id) ?? [];
  if (number === undefined || proof !== proofOf(sessionId, [letter, nonce, requests])) return undefined;
  const ids = new EventIds(letter === LETTERS.get ? 'get' : 'post', nonce + proof, requests);
  return { ids, number: Number(number), isLast: end === 'e' };
}

const PATTERN = /^([gp])\.([\w-]{8})([\w-]{8})\.(0|[1-9]\d{0,14})(e?)(?:\.([\w-]{1,90}))?$/;

/**
 * Makes the proof that an event id belongs to a session. The key is the session's id, which nobody but its user knows: every process that
 * serves the session can check the proof, also one that was started after the stream.
 */
function proofOf(sessionId: string, parts: readonly string[]): string {
  return createHmac('sha256', sessionId).update(parts.join('.')).digest('base64url').slice(0, 8);
}
