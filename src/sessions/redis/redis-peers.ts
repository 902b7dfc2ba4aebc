/** The processes of one server over Redis: an inbox for each and a channel for all. Everything is sealed, and every key has an end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sealer } from '../../sealed.ts';
import { createUniqueName, PeerGoneError, type Peers, PeersUnreachableError } from '../peers.ts';
import { connectRedis } from './connection.ts';
import { createRedisRecords } from './records.ts';
import { createEnvelopes } from './envelopes.ts';
import { createInbox, type Handler } from './inbox.ts';
import { createKeys } from './keys.ts';
import { createOutbox } from './outbox.ts';

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

/** A process that has not said for so long that it lives does not. Milliseconds. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

/** Marks and records are waited for so long. Milliseconds. */
const WAIT_MS = 500;

/**
 * Joins the other processes. Comes back when they can be reached, or Redis could not be at the first try: whoever listens from then on is
 * one of them, if that can be, and starts without them if not.
 */
export async function createRedisPeers({
  url,
  prefix,
  sealer,
  log,
  now = () => performance.now(),
}: RedisPeersOptions): Promise<Peers> {
  const self = createUniqueName();
  const inboxOf = (peer: string): string => `${prefix}in:${peer}`;
  const everybody = `${prefix}all`;
  const leaseOf = (peer: string): string => `${prefix}alive:${peer}`;
  const keysOf = createKeys(prefix, sealer);
  const answers = new Map<string, Handler>();
  const hearers = new Map<string, Handler>();
  const returnListeners: (() => void)[] = [];
  const cutOffListeners: (() => void)[] = [];

  const onMessage = (channel: string, bytes: Buffer): void => {
    const envelope = envelopes.open(channel, bytes);
    if (envelope === undefined) return;
    if (channel === everybody) incoming.hear(envelope);
    else if (envelope.refused !== undefined) outbox.refuse(envelope.refused);
    else if (envelope.messages !== undefined) incoming.take(envelope);
    else {
      const back = inboxOf(envelope.from);
      connection.publish(back, envelopes.refuse(back, envelope.id)).catch(() => undefined);
    }
  };
  let count = 1;
  let lastUpMs = now();
  let isCutOff = false;
  const renew = (): void => {
    const nowMs = now();
    if (connection.isUp) {
      [lastUpMs, isCutOff] = [nowMs, false];
      connection.set([leaseOf(self)], '1', LEASE_MS).catch(() => undefined);
      connection.clock.read().catch(() => undefined);
      const note = (listeners: number): void => void (count = Math.max(1, listeners));
      connection.countListeners(everybody).then(note, () => undefined);
    } else if (!isCutOff && connection.wasEverUp && nowMs - lastUpMs > LEASE_MS) {
      isCutOff = true;
      log.warn('other processes take this one for gone');
      for (const listener of cutOffListeners) listener();
    }
  };
  let hasStarted = false;
  const connection = await connectRedis({
    url,
    channels: [inboxOf(self), everybody],
    log,
    now,
    onMessage,
    onUp: () => {
      renew();
      // Reached for the first time after that, it has served alone until then.
      if (hasStarted) for (const listener of returnListeners) listener();
    },
  });
  const envelopes = createEnvelopes(sealer, self, connection.clock);
  const lease = setInterval(renew, RENEW_MS).unref();

  const outbox = createOutbox({
    envelopes,
    publish: connection.publish,
    now,
    async explainSilence(channel) {
      // All come back one after the other; until then nobody is known to have gone.
      const isSettled = now() - connection.upSinceMs > LEASE_MS;
      return isSettled && !(await connection.has([leaseOf(channel.slice(inboxOf('').length))]))
        ? new PeerGoneError('The process has ended.')
        : new PeersUnreachableError('The process cannot be reached.');
    },
  });
  const incoming = createInbox({
    answers,
    hearers,
    log,
    canAnswer: () => connection.isUp,
    answer: (peer, spelled) => outbox.answer(inboxOf(peer), spelled),
    settle: outbox.settle,
  });
  /** Does something with the connection; what takes too long, or fails, is out of reach. */
  const within = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
    const abort = new AbortController();
    try {
      const late = delay(WAIT_MS, LATE, { signal: abort.signal });
      const result = await Promise.race([action(), late]);
      if (result === LATE) throw new PeersUnreachableError('Redis does not answer.');
      return result;
    } catch (cause) {
      throw new PeersUnreachableError('Redis cannot be reached.', { cause });
    } finally {
      abort.abort();
    }
  };

  await connection.firstTry;
  hasStarted = true;
  return {
    self,
    get count() {
      return count;
    },
    get standing() {
      if (connection.isUp) return 'together';
      return connection.wasEverUp ? 'cut-off' : 'unreached';
    },
    async ask<Answer>(peer: string, kind: string, body: unknown) {
      if (!connection.isUp) throw new PeersUnreachableError('Redis cannot be reached.');
      // oxlint-disable-next-line no-unsafe-type-assertion -- as a process of this server has answered questions of the kind
      return (await outbox.ask(inboxOf(peer), kind, body)) as Answer;
    },
    async tell(kind, body) {
      if (connection.isUp) await outbox.tell(everybody, kind, body);
    },
    // oxlint-disable no-unsafe-type-assertion -- only processes of this server can have sealed a body, each kind as its handler reads it
    onAsk: (kind, answer) => void answers.set(kind, answer as Handler),
    onTell: (kind, hear) => void hearers.set(kind, hear as Handler),
    // oxlint-enable no-unsafe-type-assertion
    onReturn: (listener) => void returnListeners.push(listener),
    onCutOff: (listener) => void cutOffListeners.push(listener),
    marks: {
      set: async (name, lifeMs) =>
        void (await within(async () => connection.set(keysOf('mark', name), '1', lifeMs))),
      has: async (name) => within(async () => connection.has(keysOf('mark', name))),
      swap: async (name, value, lifeMs) =>
        within(async () => connection.set(keysOf('mark', name), value, lifeMs)),
    },
    records: createRedisRecords({ connection, keysOf, sealer, within }),
    async close() {
      clearInterval(lease);
      await within(async () => connection.delete([leaseOf(self)])).catch(() => undefined);
      connection.close();
    },
  };
}

/** What stands for an answer of Redis that has not come. */
const LATE = Symbol('late');
