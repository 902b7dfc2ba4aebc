/**
 * Streams that are read at other processes than the one that writes them: each event once and in order however often they break, and an end whatever
 * fails.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { createSealer } from '../../src/sealed.ts';
import type { StreamKey } from '../../src/sessions/event-store.ts';
import { QUESTIONS } from '../../src/sessions/lent-streams.ts';
import { type Peers, PeersUnreachableError } from '../../src/sessions/peers.ts';
import { createRedisPeers } from '../../src/sessions/redis/redis-peers.ts';
import { PeerEventStore } from '../../src/sessions/peer-event-store.ts';
import { NotingReader } from '../support/noting-reader.ts';
import { createPeerGroup, type PeerGroup, type TestPeer } from '../support/peer-group.ts';
import { createSandbox, waitFor } from '../support/process.ts';
import { eventually } from '../support/raw-http.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const KEY: StreamKey = { userId: 'ada', sessionId: 's-1', stream: 'one' };
const log = pino({ level: 'silent' });

/** The store of a process. */
const storeOf = (peers: Peers, now?: () => number): PeerEventStore =>
  new PeerEventStore({ peers, log, oneUser: false, ...(now && { now }) });

/** Resumes a stream. */
async function resume(store: PeerEventStore, after: number, { key = KEY, scopes = ['walk'] } = {}) {
  const reader = new NotingReader();
  const mayRead = (needed: readonly string[]): boolean => needed.every((scope) => scopes.includes(scope));
  return { ...(await store.resume(key, { after, reader, mayRead })), reader };
}

/** Lets pending requests between processes be answered, or fail. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

/** Does something so many microtasks later. */
function afterMicrotasks(count: number, action: () => void): void {
  if (count === 0) action();
  else queueMicrotask(() => afterMicrotasks(count - 1, action));
}

/** What happens to a stream in turn: an event is added, or its client has received so many of its events when it returns at another process. */
const happenings = fc.array(
  fc.oneof(fc.constant('append' as const), fc.record({ seen: fc.nat({ max: 4 }), at: fc.nat({ max: 2 }) })),
  { maxLength: 30 },
);

let streams = 0;

/** Breaks a stream repeatedly, and returns what its client has received in the end. */
async function cut(
  stores: readonly PeerEventStore[],
  steps: readonly ('append' | { seen: number; at: number })[],
) {
  const [home] = stores;
  const key = { ...KEY, stream: `cut-${(streams += 1)}` };
  let reader = new NotingReader();
  const writer = home?.begin(key, { reader });
  const seen: string[] = [];
  let [added, after] = [0, 0];
  for (const step of steps) {
    if (step === 'append') {
      writer?.append({ json: String((added += 1)) });
      continue;
    }
    const got = reader.events.slice(0, step.seen);
    seen.push(...got.map(({ json }) => json));
    after = got.at(-1)?.number ?? after;
    const store = stores[step.at];
    if (store === undefined) throw new Error('no such process');
    const again = await resume(store, after, { key });
    expect(again.outcome).toBe('resumed');
    ({ reader } = again);
  }
  writer?.append({ json: 'answer', isLast: true });
  const last = reader;
  await eventually(() => last.left.length > 0);
  return {
    seen: [...seen, ...last.texts],
    expected: [...Array.from({ length: added }, (_, index) => String(index + 1)), 'answer'],
    isLast: last.events.at(-1)?.isLast,
  };
}

describe('a broken stream', () => {
  test('delivers every event once and in order, wherever and however often it breaks', async () => {
    const group = createPeerGroup();
    const stores = [1, 2, 3].map(() => storeOf(group.join()));

    await fc.assert(
      fc.asyncProperty(happenings, async (steps) => {
        const { seen, expected, isLast } = await cut(stores, steps);

        expect(seen).toEqual(expected);
        expect(isLast).toBe(true);
      }),
      { numRuns: 100 },
    );
    await eventually(() => stores.every(({ lent }) => lent.size === 0));
  });
});

describeWithRedis('over a real Redis', () => {
  const sandbox = createSandbox();
  const joined: Peers[] = [];
  let redis: TestRedis;
  let stores: PeerEventStore[];
  beforeAll(async () => {
    redis = await startRedis(sandbox);
    const sealer = createSealer([randomBytes(32).toString('base64url')]);
    for (let count = 0; count < 3; count += 1)
      joined.push(await createRedisPeers({ url: redis.url, prefix: 't:', sealer, log }));
    for (const peers of joined) await waitFor('a peer', () => peers.standing === 'together');
    stores = joined.map((peers) => storeOf(peers));
  });
  afterAll(async () => {
    await Promise.all(joined.map(async (peers) => peers.close()));
    await sandbox.close();
  });

  test('a stream that breaks anywhere, repeatedly, delivers every event once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (steps) => {
        const { seen, expected } = await cut(stores, steps);
        expect(seen).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  test('a record has the last value of each field, without removed fields, until it is removed', async () => {
    const [here, there] = joined.map(({ records }) => records);
    await here?.write('kept', { one: '1', two: '2' }, 60_000);
    await here?.write('kept', { one: undefined, two: 'second', three: '3' }, 60_000);
    await here?.write('kept', { three: undefined }, 60_000);

    expect(await there?.read('kept')).toEqual(new Map([['two', 'second']]));
    await here?.remove('kept');
    expect(await there?.read('kept')).toEqual(new Map());
  });

  test.each([1, 2, 3, 5])(
    'a stream that is cut after every event number %d, each time elsewhere, does so too',
    async (every) => {
      const key = { ...KEY, stream: `every-${every}` };
      const writer = stores[0]?.begin(key);
      for (let number = 1; number < 20; number += 1) writer?.append({ json: String(number) });
      writer?.append({ json: '20', isLast: true });

      const seen: string[] = [];
      for (let round = 0; seen.length < 20; round += 1) {
        const store = stores[round % 3];
        if (store === undefined) throw new Error('no such process');
        const { reader } = await resume(store, seen.length, { key });
        await eventually(() => reader.left.length > 0);
        seen.push(...reader.texts.slice(0, every));
      }

      expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    },
  );

  test('nothing of a stream is readable, and every record expires', async () => {
    const key = { userId: 'secret-user', sessionId: 'secret-session', stream: 'secret-stream' };
    stores[0]?.begin(key, { scopes: ['secret-scope'] }).append({ json: '{"secret":"result"}' });
    await eventually(
      async () =>
        (await resume(stores[1] ?? storeOf(joined[1] as Peers), 0, { key, scopes: ['secret-scope'] }))
          .outcome === 'resumed',
    );

    const contents = redis.hashes('t:record:*');
    expect(contents).toContain('t:record:');
    expect(contents).not.toMatch(/secret|scope|result|home/);
    expect(redis.lasting('t:record:*')).toEqual([]);
  });
});

describe('the process that writes a stream', () => {
  let group: PeerGroup;
  let peers: [TestPeer, TestPeer];
  let stores: [PeerEventStore, PeerEventStore];
  let nowMs: number;

  /** Starts two processes, and a stream at the first. */
  function start(options: { scopes?: readonly string[]; isEndless?: boolean } = {}) {
    group = createPeerGroup();
    nowMs = 1_000_000;
    peers = [group.join(), group.join()];
    const [home, away] = [storeOf(peers[0], () => nowMs), storeOf(peers[1], () => nowMs)];
    stores = [home, away];
    return { home, away, writer: home.begin(KEY, options) };
  }

  /** Moves the clock on until processes ask after each other. */
  const watch = (): void => {
    nowMs += 5_000;
    for (const store of stores) store.tick();
  };

  test('is killed: a reader gets what was written, then learns that the rest is lost', async () => {
    const { away, writer } = start();
    writer.append({ json: '1' });
    writer.append({ json: '2' });
    peers[0].kill();

    const { outcome, reader } = await resume(away, 1);

    expect([outcome, reader.texts, reader.lost]).toEqual(['resumed', ['2'], ['1', '2']]);
    expect(await resume(away, 2)).toMatchObject({ outcome: 'lost' });
  });

  test('is killed after the answer: a reader gets the answer', async () => {
    const { away, writer } = start();
    writer.append({ json: '1' });
    writer.append({ json: 'answer', isLast: true });
    peers[0].kill();

    const { reader } = await resume(away, 0);

    expect([reader.texts, reader.lost, reader.left]).toEqual([['1', 'answer'], undefined, [undefined]]);
    expect(await resume(away, 2)).toMatchObject({ outcome: 'ended' });
  });

  test('is killed while the stream is read at another process: the reader learns it', async () => {
    const { away, writer } = start();
    const { reader } = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => reader.texts.length === 1);
    peers[0].kill();
    watch();

    await eventually(() => reader.lost !== undefined);
    expect([reader.texts, reader.lost]).toEqual([['1'], ['1']]);
  });

  test('is killed while the stream is read at another process, and the shared records are lost: the reader learns that it is lost', async () => {
    const { away, writer } = start();
    const { reader } = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => reader.texts.length === 1);
    peers[0].kill();
    group.flush();
    watch();

    await eventually(() => reader.lost !== undefined || reader.left.length > 0);
    expect([reader.lost, reader.left]).toEqual([[], []]);
  });

  test("is killed while a session's own stream is read at another process: the client is sent back, and then begins another", async () => {
    const { away, writer } = start({ isEndless: true });
    const { reader } = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => reader.texts.length === 1);
    peers[0].kill();
    watch();

    await eventually(() => reader.left.length > 0);
    expect([reader.lost, reader.left[0]]).toEqual([undefined, expect.any(Number)]);
    expect(await resume(away, 1)).toMatchObject({ outcome: 'lost' });
  });

  test("is killed with unread events of a session's own stream: they are delivered, and the client is sent back", async () => {
    const { away, writer } = start({ isEndless: true });
    writer.append({ json: '1' });
    writer.append({ json: '2' });
    peers[0].kill();

    const { reader } = await resume(away, 1);

    expect([reader.texts, reader.lost, reader.left]).toEqual([['2'], undefined, [expect.any(Number)]]);
  });

  test('does not answer: the stored events are delivered, and the others when it answers again', async () => {
    const { away, writer } = start();
    writer.append({ json: '1' });
    peers[0].cutOff(true);
    const { outcome, reader } = await resume(away, 0);
    writer.append({ json: '2', isLast: true });
    peers[0].cutOff(false);
    watch();
    // It does not know of that reader, who asks again.
    await eventually(() => reader.left.length > 0);
    const again = await resume(away, 1);
    await eventually(() => again.reader.left.length > 0);

    expect([outcome, reader.texts, again.reader.texts]).toEqual(['resumed', ['1'], ['2']]);
  });

  test('sends events, but its answer is lost: no event is delivered twice', async () => {
    const { writer } = start();
    for (const json of ['1', '2']) writer.append({ json });
    const reader = new NotingReader();
    // Redis hangs after the request has been received and the events are there.
    const ask = async (...question: Parameters<Peers['ask']>): Promise<never> => {
      await peers[1].ask(...question);
      await eventually(() => reader.texts.length === 2);
      throw new PeersUnreachableError('cut off');
    };
    const away = storeOf(Object.create(peers[1], { ask: { value: ask } }) as Peers, () => nowMs);
    const { outcome } = await away.resume(KEY, { after: 0, reader, mayRead: () => true });

    expect([outcome, reader.texts]).toEqual(['resumed', ['1', '2']]);
  });

  test('delivers an event at once when it is added just as the one before has arrived', async () => {
    const { away, writer: quiet } = start();
    const [peer] = peers;
    let onArrival: (() => void) | undefined;
    const ask: Peers['ask'] = async (asked, kind, body) => {
      const answer = await peer.ask<never>(asked, kind, body);
      if (kind === QUESTIONS.bring) onArrival?.();
      return answer;
    };
    const home = storeOf(Object.defineProperty(Object.create(peer) as Peers, 'ask', { value: ask }));
    const texts: string[][] = [];
    quiet.end();
    for (let later = 0; later < 10; later += 1) {
      const key = { ...KEY, stream: `later-${later}` };
      const writer = home.begin(key);
      const { reader } = await resume(away, 0, { key });
      onArrival = () => {
        onArrival = undefined;
        afterMicrotasks(later, () => writer.append({ json: '2' }));
      };
      writer.append({ json: '1' });
      for (let times = 0; times < 4; times += 1) await turns();
      texts.push(reader.texts);
    }

    expect(texts).toEqual(texts.map(() => ['1', '2']));
  });

  test('does not understand the request: its events are read from their copy, to the end', async () => {
    const { away, writer } = start();
    peers[0].isUnderstood(false);
    const { outcome, reader } = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => {
      watch();
      return reader.texts.length === 1;
    });
    writer.append({ json: '2', isLast: true });
    await eventually(() => {
      watch();
      return reader.left.length > 0;
    });

    expect([outcome, reader.texts]).toEqual(['resumed', ['1', '2']]);
  });

  test('is unreachable while it writes: events that did not get through are delivered later, once', async () => {
    const { away, writer } = start();
    const { reader } = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => reader.texts.length === 1);
    peers[0].cutOff(true);
    for (const json of ['2', '3']) writer.append({ json });
    watch();
    peers[0].cutOff(false);
    watch();
    await eventually(() => reader.texts.length === 3);
    writer.append({ json: '4', isLast: true });
    await eventually(() => reader.left.length > 0);

    expect(reader.texts).toEqual(['1', '2', '3', '4']);
  });

  test('is asked although the shared records are lost, as soon as it has announced where the stream is', async () => {
    const { away, writer } = start();
    writer.append({ json: '1' });
    group.flush();
    const lost = await resume(away, 0);
    peers[0].cutOff(true);
    peers[0].cutOff(false);
    const found = await resume(away, 0);
    await eventually(() => found.reader.texts.length === 1);

    expect([lost.outcome, found.outcome]).toEqual(['lost', 'resumed']);
  });

  test('returns later than the process that the client has reached, with the shared records lost: it is awaited for some seconds', async () => {
    const { writer } = start();
    writer.append({ json: '1', isLast: true });
    let reads = 0;
    const { records } = peers[1];
    const counting = { ...records, read: (name: string) => records.read(name).finally(() => (reads += 1)) };
    const away = storeOf(Object.create(peers[1], { records: { value: counting } }) as Peers, () => nowMs);
    for (const peer of peers) peer.cutOff(true);
    group.flush();
    peers[1].cutOff(false);

    const waiting = resume(away, 0);
    await eventually(() => reads > 10, { what: 'more looks' });
    peers[0].cutOff(false);
    const found = await waiting;
    group.flush();
    const late = resume(away, 0, { key: { ...KEY, stream: 'another' } });
    nowMs += 5_000;

    expect([found.outcome, found.reader.texts, (await late).outcome]).toEqual(['resumed', ['1'], 'lost']);
  });

  test('writes lost records again: a reader misses nothing, even if that process goes too', async () => {
    const { home, away, writer } = start();
    const ended = home.begin({ ...KEY, stream: 'ended' });
    for (const each of [writer, ended]) each.append({ json: '1', isExpendable: true });
    writer.append({ json: '2' });
    ended.append({ json: 'answer', isLast: true });
    group.flush();
    peers[0].cutOff(true);
    writer.append({ json: '3', isExpendable: true });
    peers[0].cutOff(false);
    writer.append({ json: '4' });
    peers[0].kill();

    const { reader } = await resume(away, 1);
    const other = await resume(away, 0, { key: { ...KEY, stream: 'ended' } });

    expect([reader.texts, reader.lost]).toEqual([
      ['2', '3', '4'],
      ['1', '2', '3', '4'],
    ]);
    expect(other.reader.texts).toEqual(['1', 'answer']);
  });

  test('has discarded an event that the client needs: the stream is lost, and never has a gap', async () => {
    const { away, writer } = start();
    for (let number = 1; number <= 300; number += 1) writer.append({ json: String(number) });
    const alive = await resume(away, 10);
    const kept = await resume(away, 44);
    peers[0].kill();
    const dead = await resume(away, 10);

    expect([alive.outcome, kept.outcome, dead.outcome]).toEqual(['lost', 'resumed', 'lost']);
    expect(group.recorded().filter((name) => /\d$/.test(name))).toHaveLength(256);
  });

  test('delivers an event that is too large to store to its current reader, also when it did not get through at first', async () => {
    const { away, writer } = start();
    const { reader } = await resume(away, 0);
    const large = ['a', 'b'].map((letter) => letter.repeat(2_000_000));
    writer.append({ json: '1' });
    await eventually(() => reader.texts.length === 1);
    peers[0].cutOff(true);
    writer.append({ json: '2' });
    writer.append({ json: large[0] ?? '' });
    await turns();
    peers[0].cutOff(false);
    watch();
    await eventually(() => reader.texts.length === 3);
    writer.append({ json: large[1] ?? '', isLast: true });
    await eventually(() => reader.left.length > 0);

    expect(reader.texts.map((text) => `${text[0]} ${text.length}`)).toEqual([
      '1 1',
      '2 1',
      'a 2000000',
      'b 2000000',
    ]);
    expect([reader.left, reader.lost]).toEqual([[undefined], undefined]);
  });

  test('stores little for an unreachable reader: when it is too much for the log, the client is sent back', async () => {
    const { away, writer } = start();
    const { reader } = await resume(away, 0);
    peers[0].cutOff(true);
    for (const letter of ['a', 'b', 'c']) writer.append({ json: letter.repeat(3_000_000) });
    await turns();
    peers[0].cutOff(false);
    watch();
    await eventually(() => reader.left.length > 0);

    expect([reader.texts, reader.left]).toEqual([[], [expect.any(Number)]]);
    expect(await resume(away, 0)).toMatchObject({ outcome: 'lost' });
  });

  test('gives a stream to no reader without its scope, and nothing of it to another session', async () => {
    const { away, writer } = start({ scopes: ['walk'] });
    writer.append({ json: '1' });

    const outcomes = [
      await resume(away, 0, { scopes: [] }),
      await resume(away, 0, { key: { ...KEY, userId: 'bob' } }),
      await resume(away, 0, { key: { ...KEY, sessionId: 's-2' } }),
      await resume(away, 7),
    ];

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['forbidden', 'lost', 'lost', 'unknown_event']);
    expect(outcomes.flatMap(({ reader }) => reader.texts)).toEqual([]);
  });

  test('has one reader: the latest takes over at any process, and one that has left is forgotten', async () => {
    const { home, away, writer } = start();
    const first = await resume(away, 0);
    const second = await resume(home, 0);
    await eventually(() => first.reader.left.length > 0);
    const third = await resume(away, 0);
    writer.append({ json: '1' });
    await eventually(() => third.reader.texts.length === 1);
    if (third.outcome === 'resumed') third.log.release(third.reader);
    await eventually(() => home.lent.size === 0);

    expect([first, second, third].map(({ reader }) => reader.texts)).toEqual([[], [], ['1']]);
    expect(second.reader.left).toHaveLength(1);
  });

  test('stops: its readers of other streams are sent back, and records live as long as their streams', async () => {
    const { home, away, writer } = start();
    const { reader } = await resume(away, 0);
    away.dismiss(500);
    await eventually(() => home.lent.size === 0);
    group.flush();
    nowMs += 200_000;
    home.tick();
    const renewed = group.recorded();
    writer.end();
    nowMs += 400_000;
    home.tick();

    expect([reader.left, renewed.length, group.recorded()]).toEqual([[500], 1, []]);
  });
});
