/** What rows are to show, and whether it was shown. */
import { describe, expect, test } from '@jest/globals';
import { BEST_PEER, valueOf } from '../../../lab/bench/report/figures.ts';
import { spellGoal } from '../../../lab/bench/report/table.ts';
import type { RowResult, Series } from '../../../lab/bench/metrics.ts';

/** A server with the CPU time of each round. */
function measured(server: string, kind: Series['kind'], rounds: readonly number[]): Series {
  return { server, kind, rounds: rounds.map((cpuMicros) => ({ cpuMicros })) };
}

const ROW: RowResult = {
  name: 'calls',
  title: 'calls',
  metric: 'cpuMicros',
  series: [
    measured('ours', 'ours', [10, 20, 30]),
    measured('silent', 'variant', [8, 17, 26]),
    measured('slow', 'peer', [90, 180, 270]),
    measured('quick', 'peer', [50, 80, 120]),
  ],
};

test('compares with whichever peer is the best, round by round', () => {
  const goal = { of: BEST_PEER, to: 'ours', atLeast: 5 };

  const value = valueOf(ROW, goal);

  expect(value).toBe(4);
  expect(spellGoal(ROW, goal, 4)).toBe('best peer: 4.00x ours, wanted at least 5: MISSED');
});

test('says how much a figure is above another, round by round', () => {
  const goal = { of: 'ours', above: 'silent', atMost: 5 };

  const value = valueOf(ROW, goal);

  expect(value).toBe(3);
  expect(spellGoal(ROW, goal, 3)).toBe('ours above silent: 3.0 CPU µs/call, wanted at most 5');
});

/** Latencies of two servers at so many calls a round. */
function paced(ours: readonly number[], peer: readonly number[], calls?: number): RowResult {
  return {
    ...ROW,
    metric: 'p99Ms',
    series: [
      { server: 'ours', kind: 'ours', rounds: ours.map((p99Ms) => ({ p99Ms, ...(calls && { calls }) })) },
      { server: 'quick', kind: 'peer', rounds: peer.map((p99Ms) => ({ p99Ms })) },
    ],
  };
}

describe('whether the ranges of the rounds lie apart', () => {
  const goal = { of: BEST_PEER, to: 'ours', atLeast: 1, isApart: true } as const;

  test.each([
    [
      'apart',
      paced([2, 2.5], [2.6, 3], 3000),
      '1.25x ours, ranges apart (2 rounds of 3,000 calls), wanted at least 1 and apart',
    ],
    [
      'over each other',
      paced([2, 4], [4, 6], 3000),
      '1.75x ours, ranges overlap (2 rounds of 3,000 calls), wanted at least 1 and apart: MISSED',
    ],
    [
      'apart the wrong way',
      paced([4], [2]),
      '0.50x ours, ranges apart (1 round), wanted at least 1 and apart: MISSED',
    ],
  ])('is said of some that are %s', (_how, row, words) => {
    expect(spellGoal(row, goal, valueOf(row, goal) ?? NaN)).toBe(`best peer: ${words}`);
  });
});

test('says nothing of what was not measured', () => {
  expect(valueOf({ ...ROW, series: ROW.series.slice(0, 2) }, { of: BEST_PEER, to: 'ours' })).toBeUndefined();
});
