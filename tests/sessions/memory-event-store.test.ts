/** The event store in memory: each event once and in order however often a stream breaks, and limits on everything. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Resumption, StreamKey } from '../../src/sessions/event-store.ts';
import { MemoryEventStore } from '../../src/sessions/memory-event-store.ts';
import { NotingReader } from '../support/noting-reader.ts';

const KEY: StreamKey = { userId: 'ada', sessionId: 's-1', stream: 'one' };

/** Resumes a stream. */
function resume(store: MemoryEventStore, after: number, key: StreamKey = KEY) {
  const reader = new NotingReader();
  const resumption: Resumption = store.resume(key, { after, reader, mayRead: () => true });
  return { ...resumption, reader };
}

describe('a stream', () => {
  test('that breaks anywhere, repeatedly, delivers every event once and in order', () => {
    // What happens in turn: an event is added, or the reader has received so many of its events when its connection breaks.
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

  test.each([1, 2, 3, 5, 7])('that breaks after every event number %d delivers every event once', (every) => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    for (let number = 1; number < 20; number += 1) log.append({ json: String(number) });
    log.append({ json: '20', isLast: true });

    const seen: string[] = [];
    while (seen.length < 20) seen.push(...resume(store, seen.length).reader.texts.slice(0, every));

    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    expect(resume(store, 20).outcome).toBe('ended');
  });

  test('has one reader: the latest takes over, and only the current one can leave', () => {
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

  test('accepts nothing after its last event', () => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    log.append({ json: 'answer', isLast: true });
    log.append({ json: 'another' });

    expect(resume(store, 0).reader.texts).toEqual(['answer']);
  });

  test('is found only by its whole key', () => {
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

  test('is forbidden without its scope, and does not know an event number beyond its last', () => {
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

describe('a limit', () => {
  test('of 256 events per stream discards the oldest notifications, never an answer or a request', () => {
    const store = new MemoryEventStore();
    const log = store.begin(KEY);
    log.append({ json: 'question' });
    for (let number = 2; number <= 400; number += 1) log.append({ json: `${number}`, isExpendable: true });
    log.append({ json: 'answer', isLast: true });

    const { texts } = resume(store, 0).reader;

    expect(texts).toHaveLength(256);
    expect([texts[0], texts[1], texts.at(-1)]).toEqual(['question', '147', 'answer']);
  });

  test('that discards a request makes the stream lost for a reader that has not received it, and for no other', () => {
    const store = new MemoryEventStore({ maxEventsPerStream: 2 });
    const log = store.begin(KEY);
    for (const json of ['question', 'another', 'answer']) log.append({ json });

    expect(resume(store, 0).outcome).toBe('lost');
    expect(resume(store, 1).reader.texts).toEqual(['another', 'answer']);
  });

  test('of 1 MiB per stream is kept, and a larger event is not stored', () => {
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

  test("of 64 MiB discards the oldest streams, and one of 16 MiB per user that user's own first", () => {
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

  test('that discards all events of an open stream leaves its later ones readable', () => {
    const store = new MemoryEventStore({ maxBytes: 3_000 });
    const log = store.begin(KEY);
    log.append({ json: 'gone', isExpendable: true });
    store.begin({ ...KEY, stream: 'large' }).append({ json: 'x'.repeat(2_000) });

    log.append({ json: 'answer', isLast: true });

    expect(resume(store, 0).reader.texts).toEqual(['answer']);
  });

  test('is kept without discarding streams that are open and empty', () => {
    const store = new MemoryEventStore({ maxBytes: 1_000 });
    const logs = ['a', 'b', 'c', 'd'].map((stream) => store.begin({ ...KEY, stream }));
    for (const log of logs) log.append({ json: 'x' });

    expect(store.size).toMatchObject({ streams: 4 });
    expect(logs).toHaveLength(4);
  });
});

/** A store, and its clock. */
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
  test('discards a stream five minutes after its end, and not an open one', () => {
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

  test('discards an open stream that nobody reads, unless its client returns', () => {
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
    // What is still written is written for nobody.
    log.append({ json: 'c' });
    expect(store.size).toEqual({ streams: 0, bytes: 0 });
  });
});

test('an open stream that is forgotten is not considered when space is needed', () => {
  const store = new MemoryEventStore({ maxBytesPerUser: 2_000 });
  store.begin(KEY);
  store.forget(KEY);
  const log = store.begin({ ...KEY, sessionId: 's-2' });

  log.append({ json: 'x'.repeat(1_500) });
  log.append({ json: 'x'.repeat(1_500) });

  expect([...store.logs]).toEqual([log]);
});

test('a forgotten session leaves no stream, and other sessions keep theirs', () => {
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
