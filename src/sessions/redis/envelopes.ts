/** What goes over Redis between processes: sealed as a whole for its channel, known again when it comes twice, and not taken when it is old. */
import { randomBytes } from 'node:crypto';
import type { Sealer } from '../../sealed.ts';

/** One message. */
export interface Envelope {
  readonly version: number;
  readonly id: string;
  /** The process that sent it. */
  readonly from: string;
  readonly atMs: number;
  readonly kind: string;
  readonly body: unknown;
}

/** Its form; a process of another version says that it cannot read it, instead of guessing. */
export const ENVELOPE_VERSION = 1;

/** The clocks of two machines may be so far apart; what is older has been kept by somebody. Milliseconds. */
const MAX_APART_MS = 300_000;

/** So many are known again, the latest: many more than come in the time in which one may be repeated. */
const MAX_KNOWN = 10_000;

/** Seals and opens envelopes of one process. */
export interface Envelopes {
  /** A message for a channel, as it is sent; sent again, it is the same one. */
  seal(channel: string, kind: string, body: unknown): { readonly id: string; readonly bytes: Buffer };
  /** What has come on a channel; undefined when it is none of this server's, too old, or one's own. */
  open(channel: string, bytes: Buffer): Envelope | undefined;
}

/** Makes the envelopes of a process. */
export function createEnvelopes(sealer: Sealer, self: string, now: () => number): Envelopes {
  return {
    seal(channel, kind, body) {
      const id = randomBytes(12).toString('base64url');
      const envelope: Envelope = { version: ENVELOPE_VERSION, id, from: self, atMs: now(), kind, body };
      return { id, bytes: sealer.sealMessage(PURPOSE, Buffer.from(JSON.stringify(envelope)), channel) };
    },
    open(channel, bytes) {
      const opened = sealer.openMessage(PURPOSE, bytes, channel);
      if (opened === undefined) return undefined;
      // oxlint-disable-next-line no-unsafe-type-assertion -- only a process of this server can have sealed it
      const envelope = JSON.parse(opened.toString()) as Envelope;
      return envelope.from === self || Math.abs(now() - envelope.atMs) > MAX_APART_MS ? undefined : envelope;
    },
  };
}

/** What the key is for. */
const PURPOSE = 'envelope';

/** Deals with each message once: a repeat gets what the first one got. */
export function createOnce<Result>(): (id: string, deal: () => Result) => Result {
  const known = new Map<string, Result>();
  return (id, deal) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const result = deal();
    known.set(id, result);
    const [oldest = ''] = known.keys();
    if (known.size > MAX_KNOWN) known.delete(oldest);
    return result;
  };
}
