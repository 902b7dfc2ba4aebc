/** The processes of one server over Redis: an inbox for each and a channel for all. Everything is sealed, and every key has an end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sealer } from '../../sealed.ts';
import { createProcessName, PeerGoneError, type Peers, PeersUnreachableError } from '../peers.ts';
import { connectRedis } from './connection.ts';
import { createRedisRecords } from './records.ts';
import { createEnvelopes, createOnce, type Envelope, ENVELOPE_VERSION, type Message } from './envelopes.ts';

/** What is needed to reach the others. */
export interface RedisPeersOptions {
  readonly url: string;
  /** What every key and channel begins with. */
  readonly prefix: string;
  readonly sealer: Sealer;
  readonly log: Logger;
  /** A clock that nobody sets. */
  readonly now?: () => number;
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

/** A process that has not said for so long that it lives does not. Milliseconds. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

/** A mark is looked up so long; then there is none. Milliseconds. */
const MARK_MS = 500;

/** Deals with the body of a message. */
type Handler = (body: unknown) => unknown;

/** What comes back for a question. */
interface AnswerBody {
  readonly to: string;
  /** Absent where the process does not know what it was asked. */
  readonly found?: { readonly value: unknown };
}

/** Joins the other processes. */
export async function createRedisPeers({
  url,
  prefix,
  sealer,
  log,
  now = () => performance.now(),
}: RedisPeersOptions): Promise<Peers> {
  const self = createProcessName();
  const [inbox, everybody] = [`${prefix}in:${self}`, `${prefix}all`];
  const leaseOf = (peer: string): string => `${prefix}alive:${peer}`;
  const markOf = (name: string): string => `${prefix}mark:${sealer.nameOf('mark', name)}`;
  const answers = new Map<string, Handler>();
  const hearers = new Map<string, Handler>();
  const waiting = new Map<string, (answer: AnswerBody) => void>();
  const returnListeners: (() => void)[] = [];
  const cutOffListeners: (() => void)[] = [];
  const once = createOnce<Promise<AnswerBody>>();

  /** What a question is answered; whatever is wrong with it, something is. */
  const answerTo = async ({ id, version, kind, body }: Envelope): Promise<AnswerBody> => {
    const answer = version === ENVELOPE_VERSION ? answers.get(kind) : undefined;
    try {
      return answer === undefined ? { to: id } : { to: id, found: { value: await answer(body) } };
    } catch (error) {
      log.error({ err: error }, 'a question of another process failed');
      return { to: id };
    }
  };
  const onMessage = (channel: string, bytes: Buffer): void => {
    const envelope = envelopes.open(channel, bytes);
    if (envelope === undefined) return;
    const { id, from, kind, body, isLate } = envelope;
    if (channel === everybody) {
      const hear = async (): Promise<AnswerBody> => {
        if (envelope.version === ENVELOPE_VERSION) hearers.get(kind)?.(body);
        return { to: id };
      };
      once(id, isLate ? undefined : hear)?.catch((error: unknown) =>
        log.error({ err: error }, 'what another process told failed'),
      );
      return;
    }
    if (kind === ANSWER) {
      // oxlint-disable-next-line no-unsafe-type-assertion -- as answerTo made it, in a process of this server
      const answer = body as AnswerBody;
      return waiting.get(answer.to)?.(answer);
    }
    const back = `${prefix}in:${from}`;
    // What cannot be answered in time, or at the moment, is not dealt with: who asked says that it was not.
    const mayDeal = !isLate && connection.isUp;
    once(id, mayDeal ? async () => answerTo(envelope) : undefined)
      ?.then(async (answer) => publish({ channel: back, kind: ANSWER, body: answer, lifeMs: NEWS_MS }))
      // Whoever asked repeats the question, or has given up.
      .catch(() => undefined);
  };
  let count = 1;
  let lastUpMs = now();
  let isCutOff = false;
  const renew = (): void => {
    const nowMs = now();
    if (connection.isUp) {
      [lastUpMs, isCutOff] = [nowMs, false];
      connection.set(leaseOf(self), '1', LEASE_MS).catch(() => undefined);
      connection.clock.read().catch(() => undefined);
      const note = (listeners: number): void => void (count = Math.max(1, listeners));
      connection.countListeners(everybody).then(note, () => undefined);
    } else if (!isCutOff && connection.wasEverUp && nowMs - lastUpMs > LEASE_MS) {
      isCutOff = true;
      log.warn('other processes take this one for gone');
      for (const listener of cutOffListeners) listener();
    }
  };
  let isBack = false;
  const connection = await connectRedis({
    url,
    channels: [inbox, everybody],
    log,
    now,
    onMessage,
    onUp: () => {
      renew();
      if (isBack) for (const listener of returnListeners) listener();
      isBack = true;
    },
  });
  const envelopes = createEnvelopes(sealer, self, connection.clock);
  const publish = async (message: Message): Promise<number> =>
    connection.publish(message.channel, envelopes.seal(message).bytes);
  const lease = setInterval(renew, RENEW_MS).unref();

  /** Why nobody has received a question. */
  const explainSilence = async (peer: string): Promise<Error> => {
    // All come back one after the other; until then nobody is known to have gone.
    const isSettled = now() - connection.upSinceMs > LEASE_MS;
    return isSettled && !(await connection.has(leaseOf(peer)))
      ? new PeerGoneError('The process has ended.')
      : new PeersUnreachableError('The process cannot be reached.');
  };
  /** Does something with the connection; what takes too long, or fails, is out of reach. */
  const within = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
    const abort = new AbortController();
    try {
      const late = delay(MARK_MS, LATE, { signal: abort.signal });
      const result = await Promise.race([action(), late]);
      if (result === LATE) throw new PeersUnreachableError('Redis does not answer.');
      return result;
    } catch (cause) {
      throw new PeersUnreachableError('Redis cannot be reached.', { cause });
    } finally {
      abort.abort();
    }
  };

  return {
    self,
    get count() {
      return count;
    },
    get standing() {
      if (connection.isUp) return 'together';
      return connection.wasEverUp ? 'cut-off' : 'unreached';
    },
    ask<Answer>(peer: string, kind: string, body: unknown) {
      return new Promise<Answer>((resolve, reject) => {
        if (!connection.isUp) {
          reject(new PeersUnreachableError('Redis cannot be reached.'));
          return;
        }
        const channel = `${prefix}in:${peer}`;
        const { id, bytes } = envelopes.seal({ channel, kind, body, lifeMs: QUESTION_MS });
        let timer: NodeJS.Timeout | undefined;
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          if (waiting.delete(id)) settle();
        };
        let times = 0;
        const send = async (): Promise<void> => {
          const isFirst = (times += 1) === 1;
          const receivers = await connection.publish(channel, bytes);
          // One that was sent before may have been received: whether it was is told by its answer only.
          if (receivers > 0 || !isFirst) return;
          const error = await explainSilence(peer);
          finish(() => reject(error));
        };
        /** Sends it, again and again; a connection that breaks under it may be back for the next time. */
        const goOn = (): void => {
          const pauseMs = PAUSES_MS[times];
          if (pauseMs === undefined)
            return finish(() => reject(new PeersUnreachableError('The process does not answer.')));
          void send().catch(() => undefined);
          timer = setTimeout(goOn, pauseMs);
        };
        waiting.set(id, ({ found }) =>
          finish(() =>
            found === undefined
              ? reject(new PeersUnreachableError('The process is of another version.'))
              : // oxlint-disable-next-line no-unsafe-type-assertion -- as a process of this server has answered questions of the kind
                resolve(found.value as Answer),
          ),
        );
        goOn();
      });
    },
    tell(kind, body) {
      if (!connection.isUp) return;
      publish({ channel: everybody, kind, body, lifeMs: NEWS_MS }).catch(() => undefined);
    },
    // oxlint-disable no-unsafe-type-assertion -- only processes of this server can have sealed a body, each kind as its handler reads it
    onAsk: (kind, answer) => void answers.set(kind, answer as Handler),
    onTell: (kind, hear) => void hearers.set(kind, hear as Handler),
    // oxlint-enable no-unsafe-type-assertion
    onReturn: (listener) => void returnListeners.push(listener),
    onCutOff: (listener) => void cutOffListeners.push(listener),
    marks: {
      set: async (name, lifeMs) => void (await within(async () => connection.set(markOf(name), '1', lifeMs))),
      has: async (name) => within(async () => connection.has(markOf(name))),
      swap: async (name, value, lifeMs) => within(async () => connection.set(markOf(name), value, lifeMs)),
    },
    records: createRedisRecords({ connection, prefix, sealer, within }),
    async close() {
      clearInterval(lease);
      await within(async () => connection.delete(leaseOf(self))).catch(() => undefined);
      connection.close();
    },
  };
}

/** The kind of an answer, which no question has. */
const ANSWER = '';

/** What stands for an answer of Redis that has not come. */
const LATE = Symbol('late');
