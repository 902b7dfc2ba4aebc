/** The benchmark as a process: a quick run of a few rows gives figures, and what it is asked wrongly it refuses. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { testInCi } from '../../support/in-ci.ts';
import { builtFile, createSandbox, type TestProcess, waitForEnd } from '../../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Starts the benchmark in a folder of its own. */
function startBench(cwd: string, args: readonly string[], env: Record<string, string> = {}): TestProcess {
  return sandbox.spawn({ args: [builtFile('lab/bench/main.js'), ...args], cwd, env });
}

testInCi(
  'measures this server and the floor in a quick run, with checked answers',
  async () => {
    const folder = await sandbox.folder();
    const rows = ['--only', 'sse', '--only', 'stateless', '--only', 'tools-invalid'];

    const bench = startBench(folder, ['--quick', ...rows, '--json', 'run.json', '--svg', 'run.svg']);
    const ending = await waitForEnd(bench, { timeoutMs: 60_000 });

    expect({ ...ending, stderr: bench.stderr() }).toMatchObject({ code: 0 });
    const run = JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')) as {
      rows: {
        name: string;
        series: { server: string; rounds: { cpuMicros: number; perSecond: number }[] }[];
      }[];
    };
    expect(run.rows.map(({ name }) => name)).toEqual(['sse', 'stateless', 'tools-invalid']);
    for (const { series } of run.rows) {
      expect(series.map(({ server }) => server)).toEqual(['this server', 'floor (bare node:http)']);
      for (const { rounds } of series) expect(rounds[0]?.perSecond).toBeGreaterThan(0);
    }
    expect(bench.stdout()).toContain('x the floor');
    expect(await readFile(path.join(folder, 'run.svg'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
  },
  90_000,
);

testInCi('names the rows when one is asked for that is not there', async () => {
  const bench = startBench(await sandbox.folder(), ['--only', 'nothing']);

  const ending = await waitForEnd(bench);

  expect(ending.code).toBe(2);
  expect(bench.stderr()).toContain('Rows: sse, streamable, stateless,');
});

test('reads figures instead of measuring, and says so where there are none', async () => {
  const figures = { cpuMicros: 12.5, p99Ms: 2 };
  const run = {
    date: '2027-06-30',
    machine: { cpu: 'C', cores: 2, node: '20.20.2', system: 'Linux 6', pinned: true, loadBefore: 0.1 },
    rows: [
      { name: 'list', series: [{ server: 'this server', kind: 'ours', rounds: [figures] }] },
      { name: 'gone', series: [] },
    ],
  };
  const cwd = await sandbox.folder({ 'run.json': JSON.stringify(run) });

  const reading = startBench(cwd, ['--figures', 'run.json', '--svg', 'run.svg']);
  const missing = startBench(cwd, ['--figures', 'other.json']);
  const endings = [await waitForEnd(reading), await waitForEnd(missing)];

  expect(endings.map(({ code }) => code)).toEqual([0, 1]);
  expect(reading.stdout()).toMatch(
    /^C, 2 cores, Node 20.20.2, [^]*\n\nlist: tools\/list, [^]* 12.5 +2.00\n\n$/,
  );
  expect(await readFile(path.join(cwd, 'run.svg'), 'utf8')).toContain('>12.5<');
  expect(missing.stderr()).toBe('\nbench: There is no other.json.\n');
});

testInCi('says plainly which rows it leaves out where a program is not installed', async () => {
  const cwd = await sandbox.folder();

  const bench = startBench(cwd, ['--quick', '--only', 'redis'], { PATH: cwd });
  const ending = await waitForEnd(bench);

  expect({ ...ending, stderr: bench.stderr() }).toMatchObject({ code: 0 });
  expect(bench.stdout()).toMatch(/^redis-sse: skipped, redis-server is not installed \(Debian: /m);
  expect(bench.stdout()).not.toContain('CPU');
});
