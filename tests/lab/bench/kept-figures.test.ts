/** The figures of the document: rows take their place among those that are kept, and what cannot be compared is not mixed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Machine } from '../../../lab/bench/machine.ts';
import type { RowHead, Series } from '../../../lab/bench/metrics.ts';
import { requireRoomFor, updateFigures } from '../../../lab/bench/report/document.ts';
import { readRun } from '../../../lab/bench/report/kept-figures.ts';
import { parseRun, type Run, spellRun } from '../../../lab/bench/report/run.ts';

const MACHINE: Machine = {
  cpu: 'C',
  cores: 2,
  node: '20.20.2',
  system: 'Linux 6',
  pinned: true,
  loadBefore: 0.1,
};

/** The rows that there are. */
const ROWS: readonly (RowHead & { readonly missing?: () => string | undefined })[] = [
  { name: 'first', title: 'The first', metric: 'cpuMicros', goals: [{ of: 'this server', atMost: 5 }] },
  { name: 'second', title: 'The second', metric: 'p99Ms' },
  { name: 'third', title: 'The third', metric: 'cpuMicros', missing: () => 'it is not installed' },
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mcp-figures-'));
  await writeFile(
    path.join(folder, 'PERFORMANCE.md'),
    '# P\n\n<!-- figures: written by npm run bench -->\nold\n<!-- end of figures -->\n\nThe rest.\n',
  );
});
afterEach(async () => rm(folder, { recursive: true }));

/** What one server showed in each round. */
function series(server: string, kind: Series['kind'], rounds: readonly number[]): Series {
  return { server, kind, rounds: rounds.map((figure) => ({ cpuMicros: figure, p99Ms: figure })) };
}

/** A run of some rows. */
function runOf(
  names: readonly string[],
  {
    date = '2027-06-30',
    rounds = [1, 2, 3],
    machine = {},
    peers = [],
  }: { date?: string; rounds?: number[]; machine?: Partial<Machine>; peers?: Series[] } = {},
): Run {
  const measured = { ...MACHINE, ...machine };
  return {
    date,
    machine: measured,
    rows: names.map((name) => {
      const head = ROWS.find((row) => row.name === name) ?? { name, title: name, metric: 'cpuMicros' };
      const { loadBefore } = measured;
      return { ...head, date, loadBefore, series: [series('this server', 'ours', rounds), ...peers] };
    }),
  };
}

/** Puts a run into the document. */
async function update(run: Run): Promise<void> {
  await updateFigures(run, { rows: ROWS, folder });
}

/** What the document shows, and what is kept for it. */
async function readDocument() {
  const kept = await readRun(path.join(folder, 'performance.json'), ROWS);
  const [text, plot] = await Promise.all(
    ['PERFORMANCE.md', 'performance.svg'].map(async (name) => readFile(path.join(folder, name), 'utf8')),
  );
  return { text, plot, kept };
}

test('a run of one row leaves the others as they are, in the order of all rows, and each with its day', async () => {
  await update(runOf(['third', 'first', 'second', 'gone']));
  await update(runOf(['first'], { date: '2027-07-01', rounds: [6, 7], machine: { loadBefore: 0.25 } }));

  const { text, plot, kept } = await readDocument();
  expect(kept?.rows.map(({ name, date }) => [name, date])).toEqual([
    ['first', '2027-07-01'],
    ['second', '2027-06-30'],
    ['third', '2027-06-30'],
  ]);
  expect(text).toContain(
    [
      'Measured on 2027-06-30: C, 2 cores, Node 20.20.2, Linux 6; server and load generator on a core each; load before the run 0.10.',
      'Median of 3 rounds (lowest–highest).',
      'Other rows: `first`, on 2027-07-01, load before the run 0.25, 2 rounds.\n',
    ].join(' '),
  );
  expect(text).toContain('| The first | CPU µs/call | 6.5 (6.0–7.0) |');
  expect(text).toContain('| The second | p99 ms | 2.00 (1.00–3.00) |');
  expect(text).toContain('| first | this server: 6.5 CPU µs/call, wanted at most 5: MISSED |');
  expect(text).toMatch(/^# P\n[^]*\nThe rest.\n$/);
  expect(text).not.toMatch(/gone|old/);
  expect(plot).toMatch(/The first[^]*>6.5<[^]*The second/);
});

test('what is of one day and of as many rounds says so once', async () => {
  await update(runOf(['first', 'second']));

  const { text } = await readDocument();
  expect(text).toContain('\nMeasured on 2027-06-30: C,');
  expect(text).not.toContain('Other rows');
});

test.each([
  ['machine', { cpu: 'D' }],
  ['Node', { node: '24.1.0' }],
])(
  'rows of another %s are not mixed: some are refused, all take the place of what was there',
  async (_what, machine) => {
    await update(runOf(['first', 'second', 'third']));
    const before = await readDocument();
    const other = { machine, date: '2027-07-01' };

    await expect(update(runOf(['second'], other))).rejects.toThrow(
      /another machine or Node \(C, .* Measure every row: npm run bench -- --peers --update-docs$/,
    );
    expect(await readDocument()).toEqual(before);

    // What cannot be measured here may be missing.
    await update(runOf(['first', 'second'], other));
    const { kept } = await readDocument();
    expect(kept?.rows.map(({ name, date }) => [name, date])).toEqual([
      ['first', '2027-07-01'],
      ['second', '2027-07-01'],
    ]);
  },
);

test('what else the machine did before is no other machine', async () => {
  await update(runOf(['first', 'second']));

  await expect(update(runOf(['first'], { machine: { loadBefore: 3 } }))).resolves.toBeUndefined();
});

test('a row does not lose its peers, which is said before anything is measured', async () => {
  await update(runOf(['first', 'second'], { peers: [series('tmcp', 'peer', [9])] }));

  const coming = { machine: MACHINE, rows: [{ name: 'second', hasPeers: false }] };
  await expect(requireRoomFor(coming, { rows: ROWS, folder })).rejects.toThrow(
    'Without --peers these rows would lose their peers: second',
  );
});

test('of no row nothing is written', async () => {
  await expect(update(runOf([]))).rejects.toThrow('No row was measured');
});

test('a run of one day needs no day for each row, and says of each what is said today', () => {
  const told = { date: '2027-06-30', machine: MACHINE, settings: { rounds: 1 } };
  const row = { name: 'first', title: 'Another title', metric: 'p99Ms', series: [] };

  const { rows } = parseRun(JSON.stringify({ ...told, rows: [row, { ...row, name: 'gone' }] }), ROWS);

  expect(rows).toEqual([{ ...ROWS[0], date: '2027-06-30', loadBefore: 0.1, series: [] }]);
});

test('what is written is read as it was', () => {
  const run = runOf(['first', 'third'], { peers: [series('tmcp', 'peer', [9.125, 8])] });

  const spelled = spellRun(run);

  const { missing: _missing, ...third } = run.rows[1] as Run['rows'][number] & { missing?: unknown };
  expect(parseRun(spelled, ROWS)).toEqual({ ...run, rows: [run.rows[0], third] });
  expect(spelled.split('\n').filter((line) => line.includes('"tmcp"'))).toHaveLength(2);
});

test('what is no run is refused in words', async () => {
  await writeFile(path.join(folder, 'performance.json'), '{"rows":[]}');

  await expect(update(runOf(['first']))).rejects.toThrow('is no run of the benchmark, as --json writes it');
});
