/** The limit of calls per minute, with a clock that the test sets: what is admitted, how long others wait, and that memory is bounded. */
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createUserContext } from '../../src/auth/user.ts';
import { CallLimit, type LimitedCaller } from '../../src/mcp/call-limit.ts';

const ADA = callerOf('ada');
const BOB = callerOf('bob');

/** A caller, with a limit of their own or without. */
function callerOf(userId: string, limit?: number): LimitedCaller {
  return { user: createUserContext({ userId }), ...(limit !== undefined && { limit }) };
}

/** A limit with its clock. */
function createLimit(perMinute: number) {
  const clock = { nowMs: 5_000 };
  return { clock, limit: new CallLimit({ perMinute, now: () => clock.nowMs }) };
}

/** Calls until one is refused; returns how many were admitted. */
function exhaust(limit: CallLimit, caller = ADA): number {
  let count = 0;
  while (limit.take(caller) === undefined) count += 1;
  return count;
}

test("admits half of a minute's calls at once, and then one call at a time", () => {
  const { clock, limit } = createLimit(60);

  const atOnce = exhaust(limit);
  const waitMs = limit.take(ADA);
  clock.nowMs += 999;
  const tooSoon = limit.take(ADA);
  clock.nowMs += 1;
  const inTime = limit.take(ADA);
  clock.nowMs += 3_600_000;

  expect({ atOnce, waitMs, inTime, others: exhaust(limit, BOB), rested: exhaust(limit) }).toEqual({
    atOnce: 30,
    waitMs: 1000,
    inTime: undefined,
    others: 30,
    rested: 30,
  });
  expect(tooSoon).toBeCloseTo(1);
});

test('a limit of 1 admits one call, and the next a minute later', () => {
  const { limit } = createLimit(1);

  expect([limit.take(ADA), limit.take(ADA)]).toEqual([undefined, 60_000]);
});

test('a limit of 0, of the server or of a token, admits everything', () => {
  const { limit } = createLimit(0);
  const { limit: other } = createLimit(2);
  const free = callerOf('free', 0);

  for (let call = 0; call < 1_000; call += 1)
    expect([limit.take(ADA), other.take(free), other.arrive(free, 100)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
});

test('the limit of a token applies to its calls, and all tokens of a user share one bucket', () => {
  const { limit } = createLimit(60);

  expect([exhaust(limit, callerOf('cyd', 4)), exhaust(limit, callerOf('cyd', 120)) < 60]).toEqual([2, true]);
});

test('a call counts as its cost; one that costs more than the burst is admitted when nothing is owed', () => {
  const { clock, limit } = createLimit(60);

  const costs = [limit.take(ADA, 25), limit.take(ADA, 6), limit.take(ADA, 5), limit.take(ADA, 0)];
  const dear = limit.take(BOB, 90);
  const after = limit.take(BOB, 1);
  clock.nowMs += 60_000;

  expect(costs).toEqual([undefined, 1000, undefined, undefined]);
  expect([dear, after, limit.take(BOB, 90)]).toEqual([undefined, 61_000, 30_000]);
});

test('a caller with ten times as many calls as its limit is refused on arrival, until it has waited', () => {
  const { clock, limit } = createLimit(6);
  exhaust(limit);

  let arrived = 0;
  while (limit.arrive(ADA, 1) === undefined) arrived += 1;
  const waitMs = limit.arrive(ADA, 1);
  clock.nowMs += waitMs ?? 0;

  expect({ arrived, waitMs }).toEqual({ arrived: 30, waitMs: 10_000 });
  expect([limit.arrive(ADA, 1), limit.take(ADA), limit.arrive(BOB, 100)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('in any period no more calls are admitted than the burst and what the period adds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 }),
      (perMinute, pauses) => {
        const { clock, limit } = createLimit(perMinute);
        const letIn: number[] = [];
        for (const pause of pauses) {
          clock.nowMs += pause;
          for (let call = 0; call < 3; call += 1) if (limit.take(ADA) === undefined) letIn.push(clock.nowMs);
        }
        const burst = Math.max(1, Math.floor(perMinute / 2));
        for (const [first, startMs] of letIn.entries())
          for (let last = first; last < letIn.length; last += 1)
            expect(last - first + 1).toBeLessThanOrEqual(
              burst + (((letIn[last] ?? 0) - startMs) * perMinute) / 60_000 + 1e-6,
            );
      },
    ),
    { numRuns: 60 },
  );
});

test('calls that another process admitted count, and those admitted here are reported once', () => {
  const { limit: here } = createLimit(60);
  const { limit: there } = createLimit(60);
  here.collectSpent();

  for (let call = 0; call < 20; call += 1) here.take(ADA);
  for (const [userId, spentMs] of here.collectSpent()) there.noteSpent(userId, spentMs);

  expect([exhaust(there), exhaust(there, BOB)]).toEqual([10, 30]);
  expect(here.collectSpent().size).toBe(0);
});

test("a process that does not know of the others' calls admits its share", () => {
  const { clock, limit } = createLimit(60);
  limit.share = 1 / 3;

  const atOnce = exhaust(limit);
  clock.nowMs += 60_000;

  expect([atOnce, exhaust(limit)]).toEqual([10, 10]);
});

test('users who owe nothing are forgotten, and of more than 100,000 users the first', () => {
  const { clock, limit } = createLimit(600);
  for (let user = 0; user < 100_010; user += 1) limit.take(callerOf(`user-${user}`));
  const most = limit.size;

  clock.nowMs += 60_000;
  limit.take(ADA);

  expect([most, limit.size]).toEqual([100_000, 1]);
});
