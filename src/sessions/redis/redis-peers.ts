/** The processes of one server over Redis: an inbox for each and a channel for all. Everything is sealed, and every key expires. */
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
import { createRefusals } from './refusals.ts';

/** What is needed to reach the other processes. */
export interface RedisPeersOptions {
  readonly url: string;
  /** The prefix of every key and channel. */
  readonly prefix: string;
  readonly sealer: Sealer;
  readonly log: Logger;
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
}

/** How long a process counts as alive after it last renewed its lease, and how often it does. Milliseconds. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

/** How long marks and records are waited for. Milliseconds. */
const WAIT_MS = 500;

/**
 * Joins the other processes. Resolves when Redis is reached, or was not at the first try: then the process starts without the others, and
 * joins them as soon as Redis is there.
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
  const refusals = createRefusals(log, now);
  let count = 1;
  let lastUpMs = now();
  let isCutOff = false;
  /** Renews the lease, the clock and the count of processes; notes when the others must take this process for gone. */
  const renew = (): void => {
    const nowMs = now();
    if (connection.isUp) {
      [lastUpMs, isCutOff] = [nowMs, false];
      // What is refused here is refused wherever something is to be kept. A connection that has failed is logged by itself.
      connection.set([leaseOf(self)], '1', LEASE_MS).then(refusals.take, (error: unknown) => {
        if (connection.isUp) refusals.refuse(error);
      });
      connection.clock.read().catch(() => undefined);
      const note = (listeners: number): void => void (count = Math.max(1, listeners));
      connection.countListeners(everybody).then(note, () => undefined);
    } else if (!isCutOff && connection.wasEverUp && nowMs - lastUpMs > LEASE_MS) {
      isCutOff = true;
      log.warn('redis was away for too long: other processes treat this one as gone');
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
      // Also at the first time, if that comes late: until then the process has served alone.
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
      // After an outage the processes come back one after the other: only when a lease has passed, a missing one means that a process has gone.
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
  /** Runs an action on the connection; one that fails or takes too long becomes a {@link PeersUnreachableError}. */
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
    get isRefused() {
      return refusals.isRefused;
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

/** Stands for a reply of Redis that has not come in time. */
const LATE = Symbol('late');
