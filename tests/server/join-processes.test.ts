/** What the processes of one server agree on. */
import { expect, test } from '@jest/globals';
import { CallLimit } from '../../src/mcp/call-limit.ts';
import { comeBackAfter, shareCalls } from '../../src/server/join-processes.ts';
import { createNoPeers } from '../../src/sessions/peers.ts';
import { createPeerGroup } from '../support/peer-group.ts';
import { eventually } from '../support/raw-http.ts';

test('clients come back soon where another process is there, and not all in one moment', () => {
  const delays = Array.from({ length: 200 }, () => comeBackAfter({ standing: 'together' })?.() ?? 0);

  expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1000);
  expect(new Set(delays).size).toBeGreaterThan(20);
});

test('a process that is alone leaves it to the streams, which allow for a deploy', () => {
  expect(comeBackAfter({ standing: 'alone' })).toBeUndefined();
});

/** Calls as one user until no more is let in; how many were. */
function callAll(limit: CallLimit): number {
  let calls = 0;
  while (calls < 1_000 && limit.take({ user: { userId: 'ada', name: 'Ada', metadata: {} } }) === undefined)
    calls += 1;
  return calls;
}

test('what a user takes in one process counts in the others, and no call waits for that', async () => {
  const group = createPeerGroup();
  const [one, other] = [1, 2].map(() => {
    const limit = new CallLimit({ perMinute: 60, now: () => 0 });
    return { limit, tick: shareCalls(limit, group.join()) };
  });
  one?.tick();
  other?.tick();

  const here = one === undefined ? 0 : callAll(one.limit);
  one?.tick();
  let there = -1;
  await eventually(() => (there = other === undefined ? -1 : callAll(other.limit)) === 0);

  // A minute's worth comes at once by half; what came there was all that the user had.
  expect([here, there]).toEqual([30, 0]);
});

test('a process that hears nothing of the others lets its part in, and all of it when they are back', () => {
  const group = createPeerGroup();
  const [peers] = [group.join(), group.join()];
  let nowMs = 0;
  const limit = new CallLimit({ perMinute: 60, now: () => nowMs });
  const tick = shareCalls(limit, peers);

  peers.cutOff(true);
  tick();
  const alone = callAll(limit);
  peers.cutOff(false);
  nowMs += 600_000;
  tick();

  expect([alone, callAll(limit)]).toEqual([15, 30]);
});

test('a process that is alone tells nobody, and keeps no account of what to tell', () => {
  const limit = new CallLimit({ perMinute: 60, now: () => 0 });
  const tick = shareCalls(limit, createNoPeers());

  tick();
  const calls = callAll(limit);

  expect(calls).toBe(30);
  expect(limit.collectSpent().size).toBe(0);
});
