/** What a process sends to others: all that goes to one of them within a turn of the event loop goes together, since a message costs the least part of its sending. */
import { PeersUnreachableError } from '../peers.ts';
import type { Answer, Envelopes, Message } from './envelopes.ts';

/** What it sends with. */
export interface OutboxParts {
  readonly envelopes: Pick<Envelopes, 'seal'>;
  /** How many have received it. Rejects while nothing can be sent. */
  readonly publish: (channel: string, bytes: Buffer) => Promise<number>;
  /** Why nobody has received what was sent. */
  readonly explainSilence: (channel: string) => Promise<Error>;
  /** A clock that nobody sets. */
  readonly now: () => number;
}

/** Sends. */
export interface Outbox {
  /** Asks on a channel; rejects with what `explainSilence` says, or {@link PeersUnreachableError}. */
  ask(channel: string, kind: string, body: unknown): Promise<unknown>;
  /** Tells whoever listens to a channel, on which nothing is asked. Resolves when it has been published, could not be, or that takes too long. */
  tell(channel: string, kind: string, body: unknown): Promise<void>;
  /** Sends an answer that has been spelled. */
  answer(channel: string, spelled: string): void;
  /** Takes the answer to a question. */
  settle(answer: Answer): void;
  /** Hears that an envelope cannot be read where it went. */
  refuse(envelopeId: string): void;
}

/**
 * A question is sent, and after each of these pauses but the last again: what is published to a connection that is being made anew is
 * lost, and so may the answer be. After the last nobody waits for it any more. Milliseconds.
 */
const PAUSES_MS = [1_000, 500, 400, 100];

/** A question that has been under way for longer is not dealt with, unless it has been already: its answer would come too late, and somebody has been told that nothing was done. Milliseconds. */
const QUESTION_MS = 1_500;

/** What nobody waits for may be so late; what is older has been kept by somebody. Milliseconds. */
const NEWS_MS = 60_000;

/** Whoever tells something waits so long until it has been published. Milliseconds. */
const TELL_MS = 500;

/** What comes so soon after something was sent waits for more: under load a message is several, and where there is none nobody waits. Milliseconds. */
const GATHER_MS = 1;

/** What is as long waits for nothing else. Characters. */
const FULL_CHARS = 65_536;

/** Somebody who waits for an answer. */
interface Asker {
  readonly number: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** What the question went out in. */
  sent?: Sent;
}

/** What is about to be sent on a channel. */
interface Parcel {
  readonly channel: string;
  readonly messages: string[];
  readonly askers: Asker[];
  /** Those who wait until it has been published. */
  readonly tellers: (() => void)[];
  chars: number;
}

/** Who waits for what becomes of a message. */
interface Waiting {
  readonly asker?: Asker;
  readonly teller?: () => void;
}

/** Questions that have been sent together, and are repeated together. */
interface Sent {
  readonly id: string;
  /** Those that still wait. */
  readonly askers: Set<Asker>;
  timer?: NodeJS.Timeout;
}

/** Makes the outbox of a process. */
export function createOutbox({ envelopes, publish, explainSilence, now }: OutboxParts): Outbox {
  const waiting = new Map<number, Asker>();
  let parcels = new Map<string, Parcel>();
  let asked = 0;
  let sentAtMs = -Infinity;

  /** The asker waits no more. */
  const finish = (asker: Asker): void => {
    waiting.delete(asker.number);
    asker.sent?.askers.delete(asker);
    if (asker.sent?.askers.size === 0) clearTimeout(asker.sent.timer);
  };
  const rejectAll = ({ askers }: Sent, error: Error): void => {
    for (const asker of askers) {
      finish(asker);
      asker.reject(error);
    }
  };
  /** Sends questions, again and again; a connection that breaks under them may be back for the next time. */
  const sendAgain = (sent: Sent, channel: string, bytes: Buffer): void => {
    let times = 0;
    const send = async (): Promise<void> => {
      const isFirst = (times += 1) === 1;
      const receivers = await publish(channel, bytes);
      // What was sent before may have been received: whether it was is told by answers only.
      if (receivers > 0 || !isFirst) return;
      rejectAll(sent, await explainSilence(channel));
    };
    const goOn = (): void => {
      const pauseMs = PAUSES_MS[times];
      if (pauseMs === undefined)
        return rejectAll(sent, new PeersUnreachableError('The process does not answer.'));
      void send().catch(() => undefined);
      sent.timer = setTimeout(goOn, pauseMs);
    };
    goOn();
  };
  const ship = ({ channel, messages, askers, tellers }: Parcel): void => {
    const { id, bytes } = envelopes.seal(channel, messages, askers.length > 0 ? QUESTION_MS : NEWS_MS);
    if (askers.length === 0) {
      // Whoever asked repeats the question, or has given up; and what is told is told to those who hear it.
      const release = (): void => {
        clearTimeout(late);
        for (const resolve of tellers) resolve();
      };
      // A Redis that hangs hands it on when it goes on again.
      const late = tellers.length > 0 ? setTimeout(release, TELL_MS) : undefined;
      void publish(channel, bytes).then(release, release);
      return;
    }
    const sent: Sent = { id, askers: new Set(askers) };
    for (const asker of askers) asker.sent = sent;
    sendAgain(sent, channel, bytes);
  };
  const shipAll = (): void => {
    sentAtMs = now();
    const ready = parcels;
    parcels = new Map();
    for (const parcel of ready.values()) ship(parcel);
  };
  const put = (channel: string, message: string, { asker, teller }: Waiting = {}): void => {
    // When whatever has come in this turn has been read, or a moment after the last time.
    if (parcels.size === 0) {
      if (now() - sentAtMs < GATHER_MS) setTimeout(shipAll, GATHER_MS);
      else setImmediate(shipAll);
    }
    const parcel = parcels.get(channel) ?? { channel, messages: [], askers: [], tellers: [], chars: 0 };
    parcels.set(channel, parcel);
    parcel.messages.push(message);
    if (asker !== undefined) parcel.askers.push(asker);
    if (teller !== undefined) parcel.tellers.push(teller);
    parcel.chars += message.length;
    if (parcel.chars < FULL_CHARS) return;
    parcels.delete(channel);
    ship(parcel);
  };

  return {
    ask: async (channel, kind, body) =>
      new Promise((resolve, reject) => {
        const asker: Asker = { number: (asked += 1), resolve, reject };
        // Spelled first: what cannot be spelled leaves nobody waiting.
        const message = spell({ number: asker.number, kind, body });
        waiting.set(asker.number, asker);
        put(channel, message, { asker });
      }),
    tell: async (channel, kind, body) =>
      new Promise((teller) => {
        put(channel, spell({ number: 0, kind, body }), { teller });
      }),
    answer: (channel, spelled) => put(channel, spelled),
    settle({ to, found }) {
      const asker = waiting.get(to);
      if (asker === undefined) return;
      finish(asker);
      if (found === undefined) asker.reject(unreadable());
      else asker.resolve(found.value);
    },
    refuse(envelopeId) {
      for (const asker of waiting.values())
        if (asker.sent?.id === envelopeId) return rejectAll(asker.sent, unreadable());
    },
  };
}

/** A message as it is sent. */
export function spell(message: Message): string {
  return JSON.stringify(message);
}

/** The other process does not know what it was asked. */
function unreadable(): PeersUnreachableError {
  return new PeersUnreachableError('The process is of another version.');
}
