/** How this server is compared with itself: sides that are up at once, in short turns. */
import { expect, test } from '@jest/globals';
import type { Lab } from '../../../lab/bench/lab.ts';
import type { LoadResult } from '../../../lab/bench/load/job.ts';
import { measureSideBySide, type Side } from '../../../lab/bench/measure/side-by-side.ts';
import { THOROUGH } from '../../../lab/bench/settings.ts';
import { ONE_TOKEN } from '../../../lab/bench/tokens.ts';

const RESULT: LoadResult = { calls: 100, seconds: 0.25, cpuMs: 2, p50Ms: 1, p99Ms: 3, worstMs: 4 };

/** A lab whose generator only notes whom it was to load, and answers what is said here. */
function createLab(answer: (port: number) => LoadResult) {
  const done: string[] = [];
  const lab: Lab = {
    settings: { ...THOROUGH, rounds: 2, durationMs: 1_000 },
    targets: [],
    cores: { server: undefined, generator: undefined },
    generator: {
      async load({ server: { port } }) {
        done.push(`load ${port}`);
        return answer(port);
      },
      hold: async () => undefined,
      release: async () => undefined,
      close: () => undefined,
    },
    directory: '/',
    verbose: false,
    profileFile: undefined,
    progress: () => undefined,
  };
  const side = (name: string, port: number): Side => ({
    name,
    kind: 'variant',
    async open() {
      done.push(`open ${port}`);
      return {
        load: {
          server: { port, pid: 1 },
          workload: { kind: 'call', transport: 'sse' },
          clients: 1,
          tokens: ONE_TOKEN,
        },
        async close() {
          done.push(`close ${port}`);
        },
      };
    },
  });
  return { lab, done, side };
}

/** What is done in a round, by the ports of its sides. */
function round(a: number, b: number): string[] {
  return [
    ...[a, b].map((port) => `open ${port}`),
    ...[a, b, a, b, b, a, a, b, b, a].map((port) => `load ${port}`),
    ...[a, b].map((port) => `close ${port}`),
  ];
}

test('opens and warms up both sides, then loads them there and back, and begins the next round with the other', async () => {
  const { lab, done, side } = createLab(() => RESULT);

  await measureSideBySide(lab, [[side('one', 1), side('two', 2)]]);

  expect(done).toEqual([...round(1, 2), ...round(2, 1)]);
});

test('adds the turns of a side up', async () => {
  let turn = 0;
  const { lab, side } = createLab((port) => ({ ...RESULT, calls: port === 1 ? 100 : 50 * (turn++ % 2) }));

  const series = await measureSideBySide(lab, [[side('one', 1), side('two', 2)]]);

  expect(series.map(({ server, rounds }) => [server, rounds.map(({ cpuMicros }) => cpuMicros)])).toEqual([
    ['one', [20, 20]],
    // Of four turns, two had calls.
    ['two', [80, 80]],
  ]);
});

test('closes what it has opened when a load fails', async () => {
  const { lab, done, side } = createLab(() => {
    throw new Error('wrong answer');
  });

  await expect(measureSideBySide(lab, [[side('one', 1), side('two', 2)]])).rejects.toThrow('wrong answer');

  expect(done.slice(-2)).toEqual(['close 1', 'close 2']);
});
