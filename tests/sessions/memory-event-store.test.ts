/** The events that are kept in memory: each once and in order however often a stream breaks, and bounded in every way. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Resumption, StreamKey } from '../../src/sessions/event-store.ts';
import { MemoryEventStore } from '../../src/sessions/memory-event-store.ts';
import { NotingReader } from '../support/noting-reader.ts';

const KEY: StreamKey = { userId: 'ada', sessionId: 's-1', stream: 'one' };

/** Comes back for a stream. */
function resume(store: MemoryEventStore, after: number, key: StreamKey = KEY) {
  const reader = new NotingReader();
  const resumption: Resumption = store.resume(key, { after, reader, mayRead: () => true });
  return { ...resumption, reader };
}

describe('a stream', () => {
  test('that is cut anywhere, again and again, brings every event once and in order', () => {
    // What happens in turn: an event is added, or the reader has seen so many of its events when its connection breaks.
    const happenings = fc.array(
      fc.oneof(fc.constant('append' as const), fc.record({ seen: fc.nat({ max: 4 }) })),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(happenings, fc.boolean(), (steps, isTakenOver) => {
        const store = new MemoryEventStore();
        const seen: string[] = [];
        let reader = new NotingReader();
        let after = 0;
        const log = store.begin(KEY, { reader });
        const comeBack = (count: number): void => {
          const got = reader.events.slice(0, count);
          seen.push(...got.map(({ json }) => json));
          after = got.at(-1)?.number ?? after;
          // The server may not have noticed that the connection is broken.
          if (!isTakenOver) log.release(reader);
          const again = resume(store, after);
          expect(again.outcome).toBe('resumed');
          ({ reader } = again);
        };
        let added = 0;
        for (const step of steps)
          if (step === 'append') log.append({ json: String((added += 1)) });
          else comeBack(step.seen);
        log.append({ json: 'answer', isLast: true });
        seen.push(...reader.texts);

        expect(seen).toEqual([...Array.from({ length: added }, (_, index) => String(index + 1)), 'answer']);
        expect(reader.events.at(-1)).toMatchObject({ number: added + 1, isLast: true });
        expect(reader.left).toEqual([undefined]);
      }),
    );
  });

  test.each([1, 2, 3, 5, 7])('that is cut after every event number %d brings every event once', (every) => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    for (let number = 1; number < 20; number += 1) log.append({ json: String(number) });
    log.append({ json: '20', isLast: true });

    const seen: string[] = [];
    while (seen.length < 20) seen.push(...resume(store, seen.length).reader.texts.slice(0, every));

    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    expect(resume(store, 20).outcome).toBe('ended');
  });

  test('has one reader: who comes later takes over, and only the current one can leave', () => {
    const store = new MemoryEventStore();
    const first = new NotingReader();
    const log = store.begin(KEY, { reader: first });
    const second = resume(store, 0);

    log.release(first);
    log.append({ json: 'a' });
    log.dismiss(500);
    log.append({ json: 'b' });

    expect([first.texts, first.left]).toEqual([[], [undefined]]);
    expect([second.reader.texts, second.reader.left]).toEqual([['a'], [500]]);
    expect(resume(store, 1).reader.texts).toEqual(['b']);
  });

  test('takes nothing after its last event', () => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    log.append({ json: 'answer', isLast: true });
    log.append({ json: 'another' });

    expect(resume(store, 0).reader.texts).toEqual(['answer']);
  });

  test('is found by the whole of its key only', () => {
    const store = new MemoryEventStore();
    store.begin(KEY).append({ json: 'secret', isLast: true });

    const others = [
      { ...KEY, userId: 'bob' },
      { ...KEY, sessionId: 's-2' },
      { ...KEY, stream: 'other' },
    ].map((key) => resume(store, 0, key));

    expect(others.map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 'lost']);
    expect(others.flatMap(({ reader }) => reader.texts)).toEqual([]);
  });

  test('says no to who lacks a scope and to a number that has not been', () => {
    const store = new MemoryEventStore();
    const reader = new NotingReader();
    const log = store.begin(KEY, { reader, scopes: ['walk'] });
    const stranger = new NotingReader();

    const { outcome } = store.resume(KEY, {
      after: 0,
      reader: stranger,
      mayRead: (scopes) => !scopes.includes('walk'),
    });
    log.append({ json: 'a', isLast: true });

    expect(outcome).toBe('forbidden');
    expect([stranger.texts, reader.texts]).toEqual([[], ['a']]);
    expect(resume(store, 2).outcome).toBe('unknown_event');
  });
});

describe('a bound', () => {
  test('of 256 events lets the oldest notifications go, never an answer or a question', () => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    log.append({ json: 'question' });
    for (let number = 2; number <= 400; number += 1) log.append({ json: `${number}`, isExpendable: true });
    log.append({ json: 'answer', isLast: true });

    const { texts } = resume(store, 0).reader;

    expect(texts).toHaveLength(256);
    expect([texts[0], texts[1], texts.at(-1)]).toEqual(['question', '147', 'answer']);
  });

  test('that a question has to go for is a loss for who has not seen it, and none for who has', () => {
    const store = new MemoryEventStore({ maxEventsPerStream: 2 });
    const log = store.begin(KEY);
    for (const json of ['question', 'another', 'answer']) log.append({ json });

    expect(resume(store, 0).outcome).toBe('lost');
    expect(resume(store, 1).reader.texts).toEqual(['another', 'answer']);
  });

  test('of 1 MiB a stream holds, and what is larger by itself is not kept', () => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    for (let number = 0; number < 30; number += 1)
      log.append({ json: 'x'.repeat(100_000), isExpendable: true });
    const { bytes } = store.size;
    log.append({ json: 'y'.repeat(1024 * 1024), isLast: true });

    expect(bytes).toBeGreaterThan(900_000);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024 + 512);
    expect(resume(store, 0).outcome).toBe('lost');
    expect(resume(store, 30).outcome).toBe('lost');
    expect(store.size.bytes).toBeLessThan(1024);
  });

  test("of 64 MiB lets the oldest streams go, and of 16 MiB a user's own first", () => {
    const store = new MemoryEventStore();
    const fill = (userId: string, stream: string): void =>
      store.begin({ userId, sessionId: 's', stream }).append({ json: 'x'.repeat(1_000_000), isLast: true });
    fill('ada', 'first');
    for (let number = 0; number < 40; number += 1) fill('bob', String(number));
    const afterBob = store.size.bytes;
    const adasIsThere = resume(store, 0, { userId: 'ada', sessionId: 's', stream: 'first' }).outcome;
    for (let user = 0; user < 100; user += 1) fill(`user-${user}`, 'one');

    expect(afterBob).toBeLessThan(17 * 1_001_000);
    expect(adasIsThere).toBe('resumed');
    expect(store.size.bytes).toBeGreaterThan(60_000_000);
    expect(store.size.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(resume(store, 0, { userId: 'ada', sessionId: 's', stream: 'first' }).outcome).toBe('lost');
    expect(resume(store, 0, { userId: 'user-99', sessionId: 's', stream: 'one' }).outcome).toBe('resumed');
  });

  test('that empties a stream which goes on leaves it to be read from there on', () => {
    const store = new MemoryEventStore({ maxBytes: 3_000 });
    const log = store.begin(KEY);
    log.append({ json: 'gone', isExpendable: true });
    store.begin({ ...KEY, stream: 'large' }).append({ json: 'x'.repeat(2_000) });

    log.append({ json: 'answer', isLast: true });

    expect(resume(store, 0).reader.texts).toEqual(['answer']);
  });

  test('holds when nothing can go: streams that go on and are empty', () => {
    const store = new MemoryEventStore({ maxBytes: 1_000 });
    const logs = ['a', 'b', 'c', 'd'].map((stream) => store.begin({ ...KEY, stream }));
    for (const log of logs) log.append({ json: 'x' });

    expect(store.size).toMatchObject({ streams: 4 });
    expect(logs).toHaveLength(4);
  });
});

/** A store, and a hand on its clock. */
function timed() {
  let nowMs = 0;
  const store = new MemoryEventStore({ now: () => nowMs });
  const pass = (ms: number): void => {
    nowMs += ms;
    store.tick();
  };
  return { store, pass };
}

describe('time', () => {
  test('ends what has ended five minutes ago, and not what still goes on', () => {
    const { store, pass } = timed();
    store.begin(KEY).append({ json: 'answer', isLast: true });
    const running = store.begin({ ...KEY, stream: 'running' });
    running.append({ json: 'step' });

    pass(299_999);
    const before = store.size.streams;
    pass(1);
    const after = resume(store, 0).outcome;
    pass(3_600_000);

    expect([before, after]).toEqual([2, 'lost']);
    expect(resume(store, 0, { ...KEY, stream: 'running' }).reader.texts).toEqual(['step']);
    running.end();
    pass(300_000);
    expect(store.size).toEqual({ streams: 0, bytes: 0 });
  });

  test('ends what nobody reads and what has no end, and spares it when somebody comes back', () => {
    const { store, pass } = timed();
    const reader = new NotingReader();
    const log = store.begin(KEY, { reader, isEndless: true });
    pass(900_000);
    log.release(reader);
    log.append({ json: 'a' });
    pass(200_000);
    const again = resume(store, 0);
    pass(900_000);
    log.append({ json: 'b' });
    log.release(again.reader);
    pass(300_000);

    expect(again.reader.texts).toEqual(['a', 'b']);
    expect(store.size).toEqual({ streams: 0, bytes: 0 });
    // Whoever still writes does so for nobody.
    log.append({ json: 'c' });
    expect(store.size).toEqual({ streams: 0, bytes: 0 });
  });
});

test('a stream that is forgotten while it goes on takes no part when others need room', () => {
  const store = new MemoryEventStore({ maxBytesPerUser: 2_000 });
  store.begin(KEY);
  store.forget(KEY);
  const log = store.begin({ ...KEY, sessionId: 's-2' });

  log.append({ json: 'x'.repeat(1_500) });
  log.append({ json: 'x'.repeat(1_500) });

  expect([...store.logs]).toEqual([log]);
});

test('a session that is forgotten leaves nothing, and others everything', () => {
  const store = new MemoryEventStore();
  for (const [sessionId, stream] of [
    ['s-1', 'one'],
    ['s-1', 'two'],
    ['s-2', 'one'],
  ] as const)
    store.begin({ userId: 'ada', sessionId, stream }).append({ json: 'x' });

  store.forget({ userId: 'ada', sessionId: 's-1' });
  store.forget({ userId: 'bob', sessionId: 's-2' });

  expect(store.size.streams).toBe(1);
  expect(resume(store, 0, { ...KEY, sessionId: 's-2' }).outcome).toBe('resumed');
});
