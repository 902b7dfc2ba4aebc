/** What the processes of one server share. */
import { expect, test } from '@jest/globals';
import { CallLimit } from '../../src/mcp/call-limit.ts';
import { comeBackAfter, shareCalls } from '../../src/server/join-processes.ts';
import { createNoPeers } from '../../src/sessions/peers.ts';
import { createPeerGroup } from '../support/peer-group.ts';
import { eventually } from '../support/raw-http.ts';

test('beside another process, clients reconnect soon, and spread over half a second', () => {
  const delays = Array.from({ length: 200 }, () => comeBackAfter({ standing: 'together' })?.() ?? 0);

  expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1000);
  expect(new Set(delays).size).toBeGreaterThan(20);
});

test('a process that is alone leaves the retry to the streams, whose default allows for a deploy', () => {
  expect(comeBackAfter({ standing: 'alone' })).toBeUndefined();
});

/** Calls as one user until a call is refused; returns how many were admitted. */
function callAll(limit: CallLimit): number {
  let calls = 0;
  while (calls < 1_000 && limit.take({ user: { userId: 'ada', name: 'Ada', metadata: {} } }) === undefined)
    calls += 1;
  return calls;
}

test('calls of a user at one process count at the others, without delaying a call', async () => {
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

  // Half of a minute's calls is admitted at once; those at one process were all that the user had.
  expect([here, there]).toEqual([30, 0]);
});

test('a process that cannot reach the others admits its share, and the whole limit when they are back', () => {
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

test('a process that is alone announces no calls and keeps no account of them', () => {
  const limit = new CallLimit({ perMinute: 60, now: () => 0 });
  const tick = shareCalls(limit, createNoPeers());

  tick();
  const calls = callAll(limit);

  expect(calls).toBe(30);
  expect(limit.collectSpent().size).toBe(0);
});
