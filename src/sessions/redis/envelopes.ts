/** What goes over Redis between processes: sealed as a whole for its channel, known again when it comes twice, and not taken when it is late. */
import type { Sealer } from '../../sealed.ts';
import type { RedisClock } from './redis-clock.ts';

/** One message. */
export interface Envelope {
  readonly version: number;
  readonly id: string;
  /** The process that sent it. */
  readonly from: string;
  /** After that it is not taken any more, by the clock that all processes share. */
  readonly untilMs: number;
  readonly kind: string;
  readonly body: unknown;
}

/** Its form; a process of another version says that it cannot read it, instead of guessing. */
export const ENVELOPE_VERSION = 2;

/** So many are known again, the latest: many more than come in the time in which one may be repeated. */
const MAX_KNOWN = 10_000;

/** A message that has come. */
export interface Opened extends Envelope {
  /** Whether it has been under way for too long: then it is not dealt with, though it may have been before. */
  readonly isLate: boolean;
}

/** What is to be sent. */
export interface Message extends Pick<Envelope, 'kind' | 'body'> {
  readonly channel: string;
  /** How long it may be under way: who waits for what it brings about waits longer. Milliseconds. */
  readonly lifeMs: number;
}

/** Seals and opens envelopes of one process. */
export interface Envelopes {
  /** A message, as it is sent; sent again, it is the same one. */
  seal(message: Message): { readonly id: string; readonly bytes: Buffer };
  /** What has come on a channel; undefined when it is none of this server's, or one's own. */
  open(channel: string, bytes: Buffer): Opened | undefined;
}

/** Makes the envelopes of a process. */
export function createEnvelopes(sealer: Sealer, self: string, clock: Pick<RedisClock, 'nowMs'>): Envelopes {
  // Counted, since a process has its name to itself.
  let sent = 0;
  return {
    seal({ channel, kind, body, lifeMs }) {
      const id = `${self} ${(sent += 1)}`;
      const untilMs = (clock.nowMs ?? 0) + lifeMs;
      const envelope: Envelope = { version: ENVELOPE_VERSION, id, from: self, untilMs, kind, body };
      return { id, bytes: sealer.sealMessage(PURPOSE, Buffer.from(JSON.stringify(envelope)), channel) };
    },
    open(channel, bytes) {
      const opened = sealer.openMessage(PURPOSE, bytes, channel);
      if (opened === undefined) return undefined;
      // oxlint-disable-next-line no-unsafe-type-assertion -- only a process of this server can have sealed it
      const envelope = JSON.parse(opened.toString()) as Envelope;
      if (envelope.from === self) return undefined;
      // Another version may say it otherwise; what it asks is not done, whatever the time.
      if (envelope.version !== ENVELOPE_VERSION) return { ...envelope, isLate: false };
      return { ...envelope, isLate: clock.nowMs === undefined || clock.nowMs > envelope.untilMs };
    },
  };
}

/** What the key is for. */
const PURPOSE = 'envelope';

/** Deals with each message once: a repeat gets what the first one got. Without a way to deal with it, what has not been stays so. */
export function createOnce<Result>(): (id: string, deal?: () => Result) => Result | undefined {
  const known = new Map<string, Result>();
  return (id, deal) => {
    const before = known.get(id);
    if (before !== undefined || deal === undefined) return before;
    const result = deal();
    known.set(id, result);
    const [oldest = ''] = known.keys();
    if (known.size > MAX_KNOWN) known.delete(oldest);
    return result;
  };
}
