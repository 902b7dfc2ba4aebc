/** The envelopes that processes send over Redis: each holds the messages of one moment, is sealed for its channel, and is not handled when late. */
import type { Sealer } from '../../sealed.ts';
import type { RedisClock } from './redis-clock.ts';

/** The version of the format. A process of another version answers that it cannot read the envelope, instead of guessing. */
export const ENVELOPE_VERSION = 3;

/** A question to one process, or a message that is told to all. */
export interface Question {
  /** Identifies the question in the process that asks. */
  readonly number: number;
  readonly kind: string;
  readonly body: unknown;
}

/** The answer to a question, which `to` identifies. */
export interface Answer {
  readonly to: number;
  /** Absent when the process does not know the kind of the question, or has failed to answer it. */
  readonly found?: { readonly value?: unknown };
}

/** One message. */
export type Message = Question | Answer;

/** The fields that every version writes, and reads in the envelopes of every other. */
interface Frame {
  readonly version: number;
  readonly id: string;
  /** The process that sent it. */
  readonly from: string;
}

/** An envelope of this version. */
interface Envelope extends Frame {
  /** The time after which no question in it is handled any more. Milliseconds of the clock that all processes share. */
  readonly untilMs: number;
  readonly messages: readonly Message[];
}

/** The reply of every version to an envelope of another: `to` could not be read. */
interface Refusal extends Frame {
  readonly kind: typeof REFUSAL;
  readonly body: { readonly to: string };
}

/** An envelope that was received. */
export interface Opened extends Frame {
  /** Whether it has come too late to be handled, or its age is not known. The same envelope may have come in time before. */
  readonly isLate: boolean;
  /** Absent when the envelope is of another version, or a refusal. */
  readonly messages?: readonly Message[];
  /** The id of the envelope that a process of another version cannot read. */
  readonly refused?: string;
}

/** Seals and opens the envelopes of one process. */
export interface Envelopes {
  /** Seals messages that are JSON already. When the bytes are sent again, that is the same envelope. */
  seal(
    channel: string,
    messages: readonly string[],
    lifeMs: number,
  ): { readonly id: string; readonly bytes: Buffer };
  /** Seals the reply to an envelope of another version. */
  refuse(channel: string, id: string): Buffer;
  /** Opens what was received on a channel; undefined when it is not of this server, or was sent by this process. */
  open(channel: string, bytes: Buffer): Opened | undefined;
}

/** Makes the envelopes of a process. */
export function createEnvelopes(sealer: Sealer, self: string, clock: Pick<RedisClock, 'nowMs'>): Envelopes {
  // A counter is enough for ids, because no other process has the same name.
  let sent = 0;
  const seal = (channel: string, id: string, rest: string): Buffer => {
    const text = `{"version":${ENVELOPE_VERSION},"id":"${id}","from":"${self}",${rest}}`;
    return sealer.sealMessage(PURPOSE, Buffer.from(text), channel);
  };
  return {
    seal(channel, messages, lifeMs) {
      const id = `${self} ${(sent += 1)}`;
      const untilMs = (clock.nowMs ?? 0) + lifeMs;
      // The messages are not serialized again: JSON within JSON costs more than everything else here.
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
      // Another version may write the time in another way. Its questions are not handled anyway.
      if (version !== ENVELOPE_VERSION || !('untilMs' in rest)) return { version, id, from, isLate: false };
      const { untilMs, messages } = rest;
      return { version, id, from, messages, isLate: clock.nowMs === undefined || clock.nowMs > untilMs };
    },
  };
}

/** The purpose of the sealing key. */
const PURPOSE = 'envelope';

/** The kind of a refusal, which no version gives to anything else. */
const REFUSAL = '';
