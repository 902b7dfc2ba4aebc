/** What processes agree on through Redis: the time, and until when a request is sent again. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createOutbox, type Outbox } from '../../src/sessions/redis/outbox.ts';
import { createRedisClock } from '../../src/sessions/redis/redis-clock.ts';

test('two processes with different clocks agree on the time, up to half of the round trip', async () => {
  let trueMs = 1_000_000;
  const ask = async (): Promise<number> => (trueMs += 40);
  const clocks = [-240_000, 240_000].map((wrongMs) => createRedisClock(ask, () => trueMs + wrongMs));

  const taken = await Promise.all(clocks.map(async (clock) => clock.read()));
  trueMs += 5_000;
  const [one = 0, other = 0] = clocks.map(({ nowMs }) => nowMs);

  expect(taken).toEqual([true, true]);
  expect(Math.abs(one - trueMs)).toBeLessThanOrEqual(40);
  expect(Math.abs(other - trueMs)).toBeLessThanOrEqual(40);
});

test('an answer that took too long is not used, and a clock that was never read has no time', async () => {
  let [ownMs, tookMs] = [0, 501];
  const clock = createRedisClock(
    async () => {
      ownMs += tookMs;
      return 9_000;
    },
    () => ownMs,
  );

  const first = [await clock.read(), clock.nowMs];
  tookMs = 100;
  const second = [await clock.read(), clock.nowMs];
  tookMs = 2_000;
  const third = [await clock.read(), clock.nowMs];

  expect([first, second, third]).toEqual([
    [false, undefined],
    [true, 9_050],
    [false, 11_050],
  ]);
});

test('a clock that runs as that of Redis does has the time of Redis', async () => {
  const clock = createRedisClock(
    async () => 9_000,
    () => 9_000,
  );

  await clock.read();

  expect(clock.nowMs).toBe(9_000);
});

/** Makes an outbox with a clock that the test sets, and notes what it sends. */
function createTestOutbox(): { readonly outbox: Outbox; readonly sent: string[] } {
  jest.useFakeTimers();
  const sent: string[] = [];
  const outbox = createOutbox({
    envelopes: { seal: (_channel, messages) => ({ id: 'e', bytes: Buffer.from(messages.join()) }) },
    publish: async (_channel, bytes) => sent.push(bytes.toString()),
    explainSilence: async () => new Error('Nobody listens.'),
    now: () => 0,
  });
  return { outbox, sent };
}

describe('of two requests that were sent together', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('one is sent again after the other was answered, and nothing is once both were', async () => {
    const { outbox, sent } = createTestOutbox();
    const [first, second] = [outbox.ask('in:b', 'kind', 1), outbox.ask('in:b', 'kind', 2)];
    await jest.advanceTimersByTimeAsync(1);

    outbox.settle({ to: 1, found: { value: 'one' } });
    await jest.advanceTimersByTimeAsync(1_000);
    const sentMeanwhile = sent.length;
    outbox.settle({ to: 2, found: { value: 'two' } });

    expect([await first, await second, sentMeanwhile]).toEqual(['one', 'two', 2]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('one fails after two seconds although the other was answered', async () => {
    const { outbox, sent } = createTestOutbox();
    const [first, second] = [outbox.ask('in:b', 'kind', 1), outbox.ask('in:b', 'kind', 2)];
    const failure = second.catch((error: unknown) => String(error));
    await jest.advanceTimersByTimeAsync(1);

    outbox.settle({ to: 1, found: { value: 'one' } });
    await jest.advanceTimersByTimeAsync(2_000);

    expect(await failure).toContain('does not answer');
    expect([await first, sent.length, jest.getTimerCount()]).toEqual(['one', 4, 0]);
  });
});
