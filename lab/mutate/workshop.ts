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
  const sound = new Map<string, boolean>();
  /** Whether a suite passes without any mutant. */
  const isSound = async (test: string): Promise<boolean> => {
    const known = sound.get(test) ?? (await runTests(folder, [test])).failed.length === 0;
    sound.set(test, known);
    if (!known) console.error(`mutate: ${test} fails without any mutant, and so says nothing.`);
    return known;
  };
  return {
    async judge({ file, start, before, after, tests }) {
      const target = path.join(folder, file);
      const text = await readFile(target, 'utf8');
      if (!text.startsWith(before, start)) throw new Error(`${file} has changed meanwhile.`);
      const mutated = text.slice(0, start) + after + text.slice(start + before.length);
      /** Runs tests with the mutant in place. */
      const tryOn = async (some: readonly string[]): Promise<Outcome> => {
        await writeFile(target, mutated);
        try {
          return await runTests(folder, some);
        } finally {
          await writeFile(target, text);
        }
      };
      for (const stage of tests === undefined ? stagesOf(file) : [tests]) {
        let left = stage;
        while (left.length > 0) {
          const outcome = await tryOn(left);
          if (outcome.isLate) return 'timed out';
          const [failed] = outcome.failed;
          if (failed === undefined) break;
          // It counts when the same suite fails again, and passes without the mutant: others keep the machine busy, too.
          const again = await tryOn([failed]);
          if (again.failed.length > 0 && (await isSound(failed))) return 'killed';
          left = left.filter((test) => test !== failed);
        }
      }
      return 'survived';
    },
    close: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** How a run of tests ended. */
interface Outcome {
  /** The suite that failed, at which the run ended. */
  readonly failed: readonly string[];
  readonly isLate: boolean;
}

/** What one test may take on a machine that has other things to do as well. Milliseconds. */
const TEST_TIMEOUT_MS = 120_000;

/** Runs some tests, until one fails. */
async function runTests(cwd: string, tests: readonly string[]): Promise<Outcome> {
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
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    // jest says of each suite that it has ended.
    timer.refresh();
    said += part;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  const failed = [...said.matchAll(/^FAIL (\S+)/gm)].map(([, name = '']) => name);
  if (code !== 0 && failed.length === 0 && !isLate) throw new Error(`jest ended with ${code}:\n${said}`);
  return { failed, isLate };
}
