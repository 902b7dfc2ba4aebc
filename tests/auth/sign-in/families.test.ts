/** What is remembered of sign-ins: refreshes in any order, codes once, and a bound on everything. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';

describe('refresh tokens', () => {
  test('of the newest generation and the one before always count, and older ones end the sign-in, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 6 }), { maxLength: 40 }), (steps) => {
        const families = createFamilies();
        let newest = 0;
        let ended = false;
        for (const back of steps) {
          const generation = Math.max(0, newest - back);
          const counts = !ended && generation >= newest - 1;
          let next: number | undefined;
          try {
            next = families.useRefresh('one', generation);
          } catch {
            ended = true;
          }
          expect(next).toBe(counts ? generation + 1 : undefined);
          newest = Math.max(newest, next ?? 0);
        }
        expect(families.hasEnded('one')).toBe(ended);
      }),
    );
  });

  test('of a sign-in that another process began are taken up where they come back', () => {
    const families = createFamilies();

    expect([
      families.useRefresh('one', 7),
      families.useRefresh('one', 7),
      families.useRefresh('one', 8),
    ]).toEqual([8, 8, 9]);
    expect(() => families.useRefresh('one', 7)).toThrow('was used before');
  });

  test('are nothing once their sign-in has ended', () => {
    const families = createFamilies();
    void families.end('one');

    expect(() => families.useRefresh('one', 0)).toThrow('has ended');
    expect(families.useRefresh('other', 0)).toBe(1);
  });
});

describe('codes', () => {
  test('are good once, and the second time ends the sign-in', () => {
    const families = createFamilies();
    families.useCode('one', Infinity);

    expect(() => families.useCode('one', Infinity)).toThrow('used before');
    expect(families.hasEnded('one')).toBe(true);
  });

  test('are bounded: at the limit nobody signs in until the oldest are past', () => {
    let nowMs = 0;
    const families = createFamilies(() => nowMs);
    // The first of them is of another process, and known for longer.
    for (let index = 0; index < 10_000; index += 1)
      families.useCode(String(index), index === 0 ? 660_000 : 60_000);

    nowMs = 59_999;
    expect(() => families.useCode('more', 120_000)).toThrow('Too many users are signing in');
    nowMs = 60_000;
    expect(() => families.useCode('more', 120_000)).not.toThrow();
    expect(() => families.useCode('0', 660_000)).toThrow('used before');
  });
});

test('as many ended sign-ins are known as there is room for, the newest of them', () => {
  const families = createFamilies();
  for (let index = 0; index <= 10_000; index += 1) void families.end(String(index));

  expect([families.hasEnded('0'), families.hasEnded('1'), families.hasEnded('10000')]).toEqual([
    false,
    true,
    true,
  ]);
});
