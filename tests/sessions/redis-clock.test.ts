/** The time that all processes agree on. */
import { expect, test } from '@jest/globals';
import { createRedisClock } from '../../src/sessions/redis/redis-clock.ts';

test('two processes whose own clocks differ agree on it, but for half of what reading it took', async () => {
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

test('an answer that was under way for long is not taken, and a clock that was never read has no time', async () => {
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
