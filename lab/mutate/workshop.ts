/** A copy of this checkout in which one place after the other is changed, and the tests that should notice. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mutant } from './mutant.ts';

/** What became of a mutant. */
export type Fate = 'killed' | 'timed out' | 'survived';

/** Where mutants are tried. */
export interface Workshop {
  /** Runs the tests with a mutant in place, the nearest first, until one fails. */
  judge(mutant: Mutant): Promise<Fate>;
  /** Whether the tests pass as they are. */
  isSound(): Promise<boolean>;
  close(): Promise<void>;
}

/** What is not copied. The tests that start a built server are not among those that run here. */
const LEFT_OUT = new Set(['.git', 'dist', 'node_modules', 'results']);

/** The tests of all that is mutated, without those that start processes. */
const ALL_TESTS = [
  'tests/auth',
  'tests/sessions',
  'tests/mcp',
  'tests/http',
  'tests/server',
  'tests/security/budgets',
];

/** A mutant that makes a loop endless is not waited for longer than this. Milliseconds. */
const PATIENCE_MS = 300_000;

/** Makes the copy. */
export async function openWorkshop(root: string): Promise<Workshop> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mutate-'));
  await cp(root, folder, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(path.relative(root, source)),
  });
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));

  const judgeIn = async (file: string): Promise<Fate> => {
    let isFirst = true;
    for (const tests of stagesOf(file)) {
      const outcome = await runTests(folder, tests, { mayBeNone: isFirst });
      if (outcome !== 'passed') return outcome === 'failed' ? 'killed' : 'timed out';
      isFirst = false;
    }
    return 'survived';
  };
  return {
    async judge({ file, start, before, after }) {
      const target = path.join(folder, file);
      const text = await readFile(target, 'utf8');
      if (!text.startsWith(before, start)) throw new Error(`${file} has changed meanwhile.`);
      await writeFile(target, text.slice(0, start) + after + text.slice(start + before.length));
      try {
        return await judgeIn(file);
      } finally {
        await writeFile(target, text);
      }
    },
    isSound: async () => (await runTests(folder, ALL_TESTS, { isShown: true })) === 'passed',
    close: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** The tests of a file: those of its name, those of its folder, and all. */
function stagesOf(file: string): readonly (readonly string[])[] {
  const own = file.replace(/^src\//, 'tests/').replace(/\.ts$/, '');
  return [[own], [path.dirname(own)], ALL_TESTS];
}

/** How tests are run. */
interface TestRun {
  /** Whether it is as good as passed when none match. */
  readonly mayBeNone?: boolean;
  /** Whether what jest says is shown. */
  readonly isShown?: boolean;
}

/** What one test may take on a machine that has other things to do as well. Milliseconds. */
const TEST_TIMEOUT_MS = 120_000;

/** Runs some tests, until one fails. */
async function runTests(
  cwd: string,
  tests: readonly string[],
  { mayBeNone = false, isShown = false }: TestRun,
): Promise<'passed' | 'failed' | 'timed out'> {
  const args = [
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    '--bail',
    '--silent',
    '--forceExit',
  ];
  args.push(`--testTimeout=${TEST_TIMEOUT_MS}`);
  if (mayBeNone) args.push('--passWithNoTests');
  // A group of its own: jest has workers, and an endless one must go with the rest.
  const child = spawn(process.execPath, [...args, ...tests], {
    cwd,
    stdio: isShown ? 'inherit' : 'ignore',
    detached: true,
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, PATIENCE_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  clearTimeout(timer);
  if (isLate) return 'timed out';
  return code === 0 ? 'passed' : 'failed';
}
