/** The memory of sign-ins: refreshes in any order, codes used once, and a bound on everything. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';

describe('refresh tokens', () => {
  test('of the newest generation and the one before are valid in any order, and an older one ends the sign-in', () => {
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

  test('of a sign-in that began at another process are accepted from the generation at which they arrive', () => {
    const families = createFamilies();

    expect([
      families.useRefresh('one', 7),
      families.useRefresh('one', 7),
      families.useRefresh('one', 8),
    ]).toEqual([8, 8, 9]);
    expect(() => families.useRefresh('one', 7)).toThrow('was used before');
  });

  test('are refused once their sign-in has ended', () => {
    const families = createFamilies();
    void families.end('one');

    expect(() => families.useRefresh('one', 0)).toThrow('has ended');
    expect(families.useRefresh('other', 0)).toBe(1);
  });
});

describe('codes', () => {
  test('are valid once, and a second use ends the sign-in', () => {
    const families = createFamilies();
    families.useCode('one', Infinity);

    expect(() => families.useCode('one', Infinity)).toThrow('used before');
    expect(families.hasEnded('one')).toBe(true);
  });

  test('are limited: at the limit nobody can sign in until the oldest have expired', () => {
    let nowMs = 0;
    const families = createFamilies(() => nowMs);
    // The first code is of another process, and remembered for longer.
    for (let index = 0; index < 10_000; index += 1)
      families.useCode(String(index), index === 0 ? 660_000 : 60_000);

    nowMs = 59_999;
    expect(() => families.useCode('more', 120_000)).toThrow('Too many users are signing in');
    nowMs = 60_000;
    expect(() => families.useCode('more', 120_000)).not.toThrow();
    expect(() => families.useCode('0', 660_000)).toThrow('used before');
  });
});

test('the newest 10,000 ended sign-ins are remembered', () => {
  const families = createFamilies();
  for (let index = 0; index <= 10_000; index += 1) void families.end(String(index));

  expect([families.hasEnded('0'), families.hasEnded('1'), families.hasEnded('10000')]).toEqual([
    false,
    true,
    true,
  ]);
});
