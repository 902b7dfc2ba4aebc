/** A long computation gives the same result both ways, and in slices lets other work in between. */
import { expect, test } from '@jest/globals';
import { runAtOnce, runInSlices, type Steps } from '../src/in-slices.ts';

/** Counts to a number, and takes at least so long for it. */
function* count(to: number, { stepMs = 0 } = {}): Steps<number> {
  for (let step = 0; step < to; step += 1) {
    const endMs = performance.now() + stepMs;
    while (performance.now() < endMs);
    yield;
  }
  return to;
}

/** A computation that fails on the way. */
function* fail(): Steps<never> {
  yield;
  throw new Error('broken');
}

test('both ways give the result, or the error', async () => {
  expect(runAtOnce(count(3))).toBe(3);
  expect(() => runAtOnce(fail())).toThrow('broken');
  await expect(runInSlices(count(3))).resolves.toBe(3);
  await expect(runInSlices(fail())).rejects.toThrow('broken');
});

test('in slices, what waits gets its turn before the end', async () => {
  const order: string[] = [];

  const counting = runInSlices(count(20, { stepMs: 1 })).then(() => order.push('counted'));
  setImmediate(() => order.push('waited'));
  await counting;

  expect(order).toEqual(['waited', 'counted']);
});

test('at once, nothing comes in between', () => {
  const order: string[] = [];

  setImmediate(() => order.push('waited'));
  runAtOnce(count(20, { stepMs: 1 }));

  expect(order).toEqual([]);
});
