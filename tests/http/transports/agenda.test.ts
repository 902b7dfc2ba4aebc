/** The agenda: each due entry is taken once and in time, deleted entries are not taken, and the others stay. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Agenda } from '../../../src/http/transports/agenda.ts';

describe('an entry', () => {
  test('is due at its time, within half a second, and once', () => {
    const agenda = new Agenda<string>();
    agenda.add('tea', 10_100);

    const early = agenda.takeDue(10_099);
    const due = agenda.takeDue(10_600);
    const again = agenda.takeDue(20_000);

    expect([early, due, again]).toEqual([[], ['tea'], []]);
  });

  test('that was deleted from its slot is not taken, and its neighbour is', () => {
    const agenda = new Agenda<string>();
    const slot = agenda.add('gone', 1_000);
    agenda.add('here', 1_000);

    slot.delete('gone');

    expect(agenda.takeDue(1_000)).toEqual(['here']);
  });

  test('may be added again while it is being taken', () => {
    const agenda = new Agenda<string>();
    agenda.add('again', 1_000);

    for (const entry of agenda.takeDue(1_000)) agenda.add(entry, 1_000);

    expect(agenda.takeDue(1_000)).toEqual(['again']);
  });

  test('is taken after the clock jumps, in either direction', () => {
    const agenda = new Agenda<string>();
    agenda.add('old', 1_000);
    agenda.takeDue(100_000_000);
    agenda.add('after the jump back', 2_000);

    expect(agenda.takeDue(2_000)).toEqual(['after the jump back']);
  });
});

test('every entry is taken exactly once, not early and not late, whatever is added and whenever the agenda is asked', () => {
  const times = fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 50 });
  fc.assert(
    fc.property(times, times, (dueAt, looks) => {
      const agenda = new Agenda<number>();
      for (const [index] of dueAt.entries()) agenda.add(index, dueAt[index] ?? 0);
      const takenAt = new Map<number, number>();

      for (const nowMs of [...looks.toSorted((a, b) => a - b), 30_000]) {
        for (const index of agenda.takeDue(nowMs)) {
          expect(takenAt.has(index)).toBe(false);
          takenAt.set(index, nowMs);
        }
        const late = dueAt.filter((due, index) => due + 500 <= nowMs && !takenAt.has(index));
        expect(late).toEqual([]);
      }

      expect(takenAt.size).toBe(dueAt.length);
      for (const [index, nowMs] of takenAt) expect(nowMs).toBeGreaterThanOrEqual(dueAt[index] ?? 0);
    }),
  );
});
