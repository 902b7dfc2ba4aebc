/** What the processes of one server agree on. */
import { expect, test } from '@jest/globals';
import { comeBackAfter } from '../../src/server/join-processes.ts';

test('clients come back soon where another process is there, and not all in one moment', () => {
  const delays = Array.from({ length: 200 }, () => comeBackAfter({ standing: 'together' })?.() ?? 0);

  expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1000);
  expect(new Set(delays).size).toBeGreaterThan(20);
});

test('a process that is alone leaves it to the streams, which allow for a deploy', () => {
  expect(comeBackAfter({ standing: 'alone' })).toBeUndefined();
});
