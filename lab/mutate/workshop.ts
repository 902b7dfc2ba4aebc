/** A copy of this checkout in which one place after the other is changed, and the tests that should notice. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { concerning } from './concerning.ts';
import type { Mutant } from './mutant.ts';

/** What became of a mutant. */
export type Fate = 'killed' | 'timed out' | 'survived';

/** Where mutants are tried. */
export interface Workshop {
  /** Runs the tests that concern a mutant with it in place, the nearest first, until one fails. */
  judge(mutant: Mutant): Promise<Fate>;
  /** Whether tests pass as they are. Default: all. */
  isSound(tests?: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

/** What is not copied. The build is, and stays as it is: tests of which it is the point are not among those that run here. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'results']);

/** The tests of all that is mutated, without those that start processes. */
const ALL_TESTS = [
  'tests/auth',
  'tests/sessions',
  'tests/mcp',
  'tests/http',
  'tests/server',
  'tests/security/budgets.test.ts',
  'tests/security/paths.test.ts',
  // Most of its servers run in its own process.
  'tests/e2e/redis-failures.test.ts',
];

/** A mutant that makes a loop endless: no suite has ended for so long, which on a busy machine none takes. Milliseconds. */
const PATIENCE_MS = 240_000;

/** Makes the copy. */
export async function openWorkshop(root: string): Promise<Workshop> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mutate-'));
  await cp(root, folder, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(path.relative(root, source)),
  });
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));

  const stagesOf = await concerning(folder, ALL_TESTS);
  const judgeBy = async (stages: readonly (readonly string[])[]): Promise<Fate> => {
    for (const tests of stages) {
      const outcome = await runTests(folder, tests);
      if (outcome !== 'passed') return outcome === 'failed' ? 'killed' : 'timed out';
    }
    return 'survived';
  };
  return {
    async judge({ file, start, before, after, tests }) {
      const target = path.join(folder, file);
      const text = await readFile(target, 'utf8');
      if (!text.startsWith(before, start)) throw new Error(`${file} has changed meanwhile.`);
      await writeFile(target, text.slice(0, start) + after + text.slice(start + before.length));
      try {
        return await judgeBy(tests === undefined ? stagesOf(file) : [tests]);
      } finally {
        await writeFile(target, text);
      }
    },
    isSound: async (tests = ALL_TESTS) => (await runTests(folder, tests, { isShown: true })) === 'passed',
    close: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** How tests are run. */
interface TestRun {
  /** Whether what jest says is shown. */
  readonly isShown?: boolean;
}

/** What one test may take on a machine that has other things to do as well. Milliseconds. */
const TEST_TIMEOUT_MS = 120_000;

/** Runs some tests, until one fails. */
async function runTests(
  cwd: string,
  tests: readonly string[],
  { isShown = false }: TestRun = {},
): Promise<'passed' | 'failed' | 'timed out'> {
  const args = [
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    '--bail',
    '--silent',
    '--forceExit',
    // Those that are nearest are few and small: a worker's start would be most of what they take.
    '--runInBand',
  ];
  args.push(`--testTimeout=${TEST_TIMEOUT_MS}`);
  // A group of its own: what a test has started must go with the rest.
  const child = spawn(process.execPath, [...args, ...tests], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, PATIENCE_MS);
  // jest says of each suite that it has ended.
  child.stderr.on('data', (said: Buffer) => {
    timer.refresh();
    if (isShown) process.stderr.write(said);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  clearTimeout(timer);
  if (isLate) return 'timed out';
  return code === 0 ? 'passed' : 'failed';
}
