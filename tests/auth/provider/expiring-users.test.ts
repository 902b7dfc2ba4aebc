/** Until when the users of an identity provider may have sessions, and how many of them are known. */
import { expect, test } from '@jest/globals';
import { SKEW_MS } from '../../../src/auth/provider/claims.ts';
import { ExpiringUsers } from '../../../src/auth/provider/expiring-users.ts';

test('a user is valid until the latest end that was seen, and what clocks may differ', () => {
  let nowMs = 0;
  const users = new ExpiringUsers(() => nowMs);
  users.note('ada', 2_000);
  users.note('ada', 1_000);

  nowMs = 2_000 + SKEW_MS - 1;
  const before = users.isValid('ada');
  nowMs += 1;

  expect([before, users.isValid('ada'), users.isValid('bob')]).toEqual([true, false, false]);
});

test('beyond 100,000 users the one is forgotten who came longest ago, not who came first', () => {
  const users = new ExpiringUsers(() => 0);
  for (let number = 0; number < 100_000; number += 1) users.note(`user ${number}`, 1);
  const asked = ['user 0', 'user 1', 'user 2', 'user 3', 'another'];
  const listKnown = (): string[] => asked.filter((userId) => users.isValid(userId));

  // Who comes again takes nobody's place.
  users.note('user 0', 1);
  users.note('user 2', 1);
  const before = listKnown();
  users.note('another', 1);

  expect(before).toEqual(['user 0', 'user 1', 'user 2', 'user 3']);
  expect(listKnown()).toEqual(['user 0', 'user 2', 'user 3', 'another']);
});
