/** The counter of failed authentications: its minute and its bound, with a clock that the test sets. */
import { describe, expect, test } from '@jest/globals';
import type { HttpError } from '../../../src/http/errors.ts';
import { createFailureCounter } from '../../../src/http/gate/rate-limit.ts';

/** A counter whose clock moves only when the test says so. */
function createCounter(limit: number) {
  let nowMs = 5_000;
  let failures = 0;
  const count = createFailureCounter(limit, { now: () => nowMs });
  const refusalOf = (address: string, fingerprint = `another ${(failures += 1)}`): string | undefined => {
    try {
      count(address, fingerprint);
      return undefined;
    } catch (error) {
      return (error as HttpError).headers['Retry-After'];
    }
  };
  return { refusalOf, wait: (ms: number) => (nowMs += ms) };
}

describe('the counter', () => {
  test('refuses with the seconds until the minute since the first failure is over, then counts from zero', () => {
    const { refusalOf, wait } = createCounter(1);

    expect(refusalOf('203.0.113.1')).toBeUndefined();
    wait(20_500);
    expect(refusalOf('203.0.113.1')).toBe('40');
    wait(39_499);
    expect(refusalOf('203.0.113.1')).toBe('1');
    wait(1);
    expect(refusalOf('203.0.113.1')).toBeUndefined();
    expect(refusalOf('203.0.113.1')).toBe('60');
  });

  test('does not depend on the system clock by default', () => {
    const { now } = Date;
    let aheadMs = 0;
    Date.now = () => now() + aheadMs;
    try {
      const count = createFailureCounter(1);
      count('203.0.113.1', 'first');
      aheadMs = 3_600_000;

      expect(() => count('203.0.113.1', 'second')).toThrow('Too many');
    } finally {
      Date.now = now;
    }
  });

  test('counts a credential that is tried again only once a minute, among those that it remembers', () => {
    const { refusalOf, wait } = createCounter(40);
    for (let index = 0; index < 30; index += 1) refusalOf('203.0.113.1', `${index}`);

    const again = Array.from({ length: 100 }, (_value, index) => refusalOf('203.0.113.1', `${index % 30}`));
    const forgotten = Array.from({ length: 11 }, () => refusalOf('203.0.113.1', 'the 31st'));

    expect(again.every((refusal) => refusal === undefined)).toBe(true);
    expect(forgotten.map((refusal) => refusal !== undefined)).toEqual(
      Array.from({ length: 11 }, (_value, index) => index === 10),
    );
    expect(refusalOf('203.0.113.1', '0')).toBeUndefined();
    wait(60_000);
    expect(refusalOf('203.0.113.1', 'the 31st')).toBeUndefined();
  });

  test('remembers 100,000 addresses, then forgets the one whose minute began first', () => {
    const { refusalOf } = createCounter(1);
    for (let index = 0; index < 100_000; index += 1)
      refusalOf(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);

    const last = refusalOf('10.0.0.1');
    refusalOf('10.9.9.9');
    refusalOf('10.9.9.8');

    expect(last).toBe('60');
    expect(refusalOf('10.0.0.0')).toBeUndefined();
  });
});
