/** Sends messages to other processes. Those for one process in one turn of the event loop share an envelope: sealing and publishing are costly. */
import { PeersUnreachableError } from '../peers.ts';
import type { Answer, Envelopes, Message } from './envelopes.ts';

/** What the outbox is made from. */
export interface OutboxParts {
  readonly envelopes: Pick<Envelopes, 'seal'>;
  /** Publishes bytes; resolves to the number of receivers, and rejects while nothing can be sent. */
  readonly publish: (channel: string, bytes: Buffer) => Promise<number>;
  /** Finds out why nobody has received what was sent. */
  readonly explainSilence: (channel: string) => Promise<Error>;
  /** A monotonic clock. */
  readonly now: () => number;
}

/** The outbox of a process. */
export interface Outbox {
  /** Sends a question and waits for its answer. Rejects with the error of `explainSilence`, or with {@link PeersUnreachableError}. */
  ask(channel: string, kind: string, body: unknown): Promise<unknown>;
  /** Sends a message without an answer, on a channel without questions. Resolves when it was published, when that failed, or took too long. */
  tell(channel: string, kind: string, body: unknown): Promise<void>;
  /** Sends an answer that is JSON already. */
  answer(channel: string, spelled: string): void;
  /** Hands an answer to whoever asked. */
  settle(answer: Answer): void;
  /** Called when the receiver could not read an envelope. */
  refuse(envelopeId: string): void;
}

/**
 * A question is sent again after each of these pauses but the last, after which it has failed: what is published while a connection is being
 * made anew is lost, and so may the answer be. Milliseconds.
 */
const PAUSES_MS = [1_000, 500, 400, 100];

/** The age at which a question is no longer handled: its answer would come after the asker was told that nothing was done. Milliseconds. */
const QUESTION_MS = 1_500;

/** How late a message without an answer may arrive; an older one has been held back on its way. Milliseconds. */
const NEWS_MS = 60_000;

/** How long `tell` waits until its message has been published. Milliseconds. */
const TELL_MS = 500;

/** A message within this time after the last sending waits for more: under load several go together, without load none waits. Milliseconds. */
const GATHER_MS = 1;

/** The size at which an envelope is sent at once. Characters. */
const FULL_CHARS = 65_536;

/** A question that waits for its answer. */
interface Asker {
  readonly number: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** The envelope that the question went out in. */
  sent?: Sent;
}

/** The messages that are to be sent on a channel. */
interface Parcel {
  readonly channel: string;
  readonly messages: string[];
  readonly askers: Asker[];
  /** Called when it has been published. */
  readonly tellers: (() => void)[];
  chars: number;
}

/** Who waits for the answer, or for the publishing, of a message. */
interface Waiting {
  readonly asker?: Asker;
  readonly teller?: () => void;
}

/** Questions that were sent in one envelope, and are repeated in one. */
interface Sent {
  readonly id: string;
  /** Those without an answer. */
  readonly askers: Set<Asker>;
  timer?: NodeJS.Timeout;
}

/** Makes the outbox of a process. */
export function createOutbox({ envelopes, publish, explainSilence, now }: OutboxParts): Outbox {
  const waiting = new Map<number, Asker>();
  let parcels = new Map<string, Parcel>();
  let asked = 0;
  let sentAtMs = -Infinity;

  /** Removes a question; an envelope without any is not repeated. */
  const finish = (asker: Asker): void => {
    waiting.delete(asker.number);
    asker.sent?.askers.delete(asker);
    if (asker.sent?.askers.size === 0) clearTimeout(asker.sent.timer);
  };
  /** Fails every question of an envelope. */
  const rejectAll = ({ askers }: Sent, error: Error): void => {
    for (const asker of askers) {
      finish(asker);
      asker.reject(error);
    }
  };
  /** Sends an envelope of questions, repeatedly: a connection that breaks may be back for the next time. */
  const sendAgain = (sent: Sent, channel: string, bytes: Buffer): void => {
    let times = 0;
    const send = async (): Promise<void> => {
      const isFirst = (times += 1) === 1;
      const receivers = await publish(channel, bytes);
      // An earlier sending may have been received, which only an answer would show.
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
  /** Seals and sends a parcel. */
  const ship = ({ channel, messages, askers, tellers }: Parcel): void => {
    const { id, bytes } = envelopes.seal(channel, messages, askers.length > 0 ? QUESTION_MS : NEWS_MS);
    if (askers.length === 0) {
      // Nothing here is sent again: a repeated question brings a lost answer, and what is told is for the processes that hear it.
      const release = (): void => {
        clearTimeout(late);
        for (const resolve of tellers) resolve();
      };
      // A Redis that hangs delivers it later.
      const late = tellers.length > 0 ? setTimeout(release, TELL_MS) : undefined;
      void publish(channel, bytes).then(release, release);
      return;
    }
    const sent: Sent = { id, askers: new Set(askers) };
    for (const asker of askers) asker.sent = sent;
    sendAgain(sent, channel, bytes);
  };
  /** Sends all parcels. */
  const shipAll = (): void => {
    sentAtMs = now();
    const ready = parcels;
    parcels = new Map();
    for (const parcel of ready.values()) ship(parcel);
  };
  /** Puts a message into the parcel of its channel. */
  const put = (channel: string, message: string, { asker, teller }: Waiting = {}): void => {
    // They are sent at the end of this turn of the event loop, or a moment after the last sending.
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
        // Serialized first: if that throws, no question is left waiting.
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

/** A message as JSON. */
export function spell(message: Message): string {
  return JSON.stringify(message);
}

/** The error for a question that the other process could not read. */
function unreadable(): PeersUnreachableError {
  return new PeersUnreachableError('The process is of another version.');
}
