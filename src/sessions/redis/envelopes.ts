/** What goes over Redis between processes: what one says to another within a moment, sealed as a whole for its channel, and not taken when it is late. */
import type { Sealer } from '../../sealed.ts';
import type { RedisClock } from './redis-clock.ts';

/** Its form; a process of another version says that it cannot read it, instead of guessing. */
export const ENVELOPE_VERSION = 3;

/** What is asked of one process, or told to all. */
export interface Question {
  /** By which the process that asks knows it. */
  readonly number: number;
  readonly kind: string;
  readonly body: unknown;
}

/** What comes back for a question. */
export interface Answer {
  readonly to: number;
  /** Absent where the process does not know what it was asked. */
  readonly found?: { readonly value?: unknown };
}

/** One message. */
export type Message = Question | Answer;

/** What every version writes, and reads of every other. */
interface Frame {
  readonly version: number;
  readonly id: string;
  /** The process that sent it. */
  readonly from: string;
}

/** Several messages of this version. */
interface Envelope extends Frame {
  /** After that no question in it is dealt with any more, by the clock that all processes share. */
  readonly untilMs: number;
  readonly messages: readonly Message[];
}

/** What every version says of an envelope of another: that it cannot read it. */
interface Refusal extends Frame {
  readonly kind: typeof REFUSAL;
  readonly body: { readonly to: string };
}

/** An envelope that has come. */
export interface Opened extends Frame {
  /** Whether it has been under way for too long: then it is not dealt with, though it may have been before. */
  readonly isLate: boolean;
  /** Absent where it is of another version. */
  readonly messages?: readonly Message[];
  /** The envelope that a process of another version cannot read. */
  readonly refused?: string;
}

/** Seals and opens envelopes of one process. */
export interface Envelopes {
  /** Messages, each spelled already, as they are sent; sent again, it is the same envelope. */
  seal(
    channel: string,
    messages: readonly string[],
    lifeMs: number,
  ): { readonly id: string; readonly bytes: Buffer };
  /** What a process of another version is told. */
  refuse(channel: string, id: string): Buffer;
  /** What has come on a channel; undefined when it is none of this server's, or one's own. */
  open(channel: string, bytes: Buffer): Opened | undefined;
}

/** Makes the envelopes of a process. */
export function createEnvelopes(sealer: Sealer, self: string, clock: Pick<RedisClock, 'nowMs'>): Envelopes {
  // Counted, since a process has its name to itself.
  let sent = 0;
  const seal = (channel: string, id: string, rest: string): Buffer => {
    const text = `{"version":${ENVELOPE_VERSION},"id":"${id}","from":"${self}",${rest}}`;
    return sealer.sealMessage(PURPOSE, Buffer.from(text), channel);
  };
  return {
    seal(channel, messages, lifeMs) {
      const id = `${self} ${(sent += 1)}`;
      const untilMs = (clock.nowMs ?? 0) + lifeMs;
      // What has been spelled is not spelled again: JSON within JSON costs more than everything else here.
      return { id, bytes: seal(channel, id, `"untilMs":${untilMs},"messages":[${messages.join()}]`) };
    },
    refuse: (channel, to) =>
      seal(channel, `${self} ${(sent += 1)}`, `"kind":"${REFUSAL}","body":${JSON.stringify({ to })}`),
    open(channel, bytes) {
      const opened = sealer.openMessage(PURPOSE, bytes, channel);
      if (opened === undefined) return undefined;
      // oxlint-disable-next-line no-unsafe-type-assertion -- only a process of this server can have sealed it
      const { version, id, from, ...rest } = JSON.parse(opened.toString()) as Envelope | Refusal;
      if (from === self) return undefined;
      if ('kind' in rest && rest.kind === REFUSAL)
        return { version, id, from, isLate: false, refused: rest.body.to };
      // Another version may say it otherwise; what it asks is not done, whatever the time.
      if (version !== ENVELOPE_VERSION || !('untilMs' in rest)) return { version, id, from, isLate: false };
      const { untilMs, messages } = rest;
      return { version, id, from, messages, isLate: clock.nowMs === undefined || clock.nowMs > untilMs };
    },
  };
}

/** What the key is for. */
const PURPOSE = 'envelope';

/** The kind of a refusal, which no version gives to anything else. */
const REFUSAL = '';
