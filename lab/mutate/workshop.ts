/** A copy of this checkout in which one mutant after the other is tried with the tests that should notice it. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mutant } from './mutant.ts';
import { markPlaces, readReached } from './reach.ts';

/** The result of trying a mutant. */
export type Fate = 'killed' | 'timed out' | 'survived';

/** The copy in which mutants are tried. */
export interface Workshop {
  /** Runs the tests that reach a mutant with the mutant in place, until one fails. */
  judge(mutant: Mutant): Promise<Fate>;
  close(): Promise<void>;
}

/** What is not copied. The build is copied, and not mutated: tests of the built code do not run here. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'results']);

/** The tests of everything that is mutated, except those that start processes. */
const ALL_TESTS = [
  'tests/auth',
  'tests/sessions',
  'tests/mcp',
  'tests/http',
  'tests/server',
  'tests/security/budgets.test.ts',
  'tests/security/paths.test.ts',
  'tests/security/slow-clients.test.ts',
  'tests/scripts/signed-in.test.ts',
  'tests/scripts/token-cli.test.ts',
  'tests/scripts/token-commands.test.ts',
  'tests/scripts/token-lock.test.ts',
  'tests/e2e/cut-streams.test.ts',
  'tests/e2e/oidc-provider.test.ts',
  // Most of the servers of these tests run in the test's own process.
  'tests/e2e/redis-failures.test.ts',
];

/** The longest wait for the next suite to end: a mutant may make a loop endless. On a busy machine, too, no suite takes that long. Milliseconds. */
const PATIENCE_MS = 240_000;

/** Makes the copy, and runs all tests in it once, to find those that reach each mutant that names no tests. */
export async function openWorkshop(root: string, mutants: readonly Mutant[]): Promise<Workshop> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mutate-'));
  await cp(root, folder, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(path.relative(root, source)),
  });
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));

  const { reached, durations } = await tryAll(
    folder,
    mutants.filter(({ tests }) => tests === undefined),
  );
  /** How often each test has killed a mutant of each file: it may well kill the next. */
  const kills = new Map<string, number>();
  const killsOf = (file: string, test: string): number => kills.get(`${file} ${test}`) ?? 0;
  /** The tests that may notice a mutant: first those that noticed others in its file, then the fastest. */
  const testsFor = (mutant: Mutant): readonly string[] =>
    mutant.tests ??
    (reached.get(mutant) ?? []).toSorted(
      (one, other) =>
        killsOf(mutant.file, other) - killsOf(mutant.file, one) ||
        (durations.get(one) ?? 0) - (durations.get(other) ?? 0),
    );
  const sound = new Map<string, boolean>();
  /** Whether a suite passes without a mutant. */
  const isSound = async (test: string): Promise<boolean> => {
    const known = sound.get(test) ?? (await runTests(folder, [test])).failed.length === 0;
    sound.set(test, known);
    if (!known) console.error(`mutate: ${test} fails without any mutant, and so says nothing.`);
    return known;
  };
  return {
    async judge(mutant) {
      const { file, start, before, after } = mutant;
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
      let left = testsFor(mutant);
      while (left.length > 0) {
        const outcome = await tryOn(left);
        if (outcome.isLate) return 'timed out';
        const [failed] = outcome.failed;
        if (failed === undefined) break;
        // A failure counts when the suite fails again with the mutant and passes without it: the machine may be busy with other work.
        const again = await tryOn([failed]);
        if (again.failed.length > 0 && (await isSound(failed))) {
          kills.set(`${file} ${failed}`, killsOf(file, failed) + 1);
          return 'killed';
        }
        left = left.filter((test) => test !== failed);
      }
      return 'survived';
    },
    close: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** The result of running all tests once: which tests reach each mutant, how long each takes, and which pass. */
interface FirstRun {
  readonly passed: readonly string[];
  readonly reached: ReadonlyMap<Mutant, readonly string[]>;
  readonly durations: ReadonlyMap<string, number>;
}

/** Runs all tests over the marked sources. */
async function tryAll(folder: string, mutants: readonly Mutant[]): Promise<FirstRun> {
  if (mutants.length === 0) return { reached: new Map(), durations: new Map(), passed: [] };
  const files = await markPlaces(folder, mutants);
  for (const [file, { marked }] of files) await writeFile(path.join(folder, file), marked);
  const notes = path.join(folder, 'reached.tsv');
  await writeFile(notes, '');
  const options = ['--setupFilesAfterEnv', path.join(folder, 'lab/mutate/note-reached.mjs')];
  const { durations, failed } = await runTests(folder, ALL_TESTS, {
    options,
    variables: { MUTATE_REACHED: notes },
  });
  for (const [file, { text }] of files) await writeFile(path.join(folder, file), text);
  const byNumber = await readReached(notes);
  return {
    reached: new Map(mutants.map((mutant, number) => [mutant, byNumber.get(number) ?? []])),
    durations,
    passed: [...durations.keys()].filter((test) => !failed.includes(test)),
  };
}

/** The result of a run of tests. */
interface Outcome {
  /** The suites that failed. The first failure ends the run, except the run of all tests. */
  readonly failed: readonly string[];
  readonly isLate: boolean;
  /** How long each suite took, if jest says so. Seconds. */
  readonly durations: ReadonlyMap<string, number>;
}

/** How long one test may take, on a machine that may be busy with other work. Milliseconds. */
const TEST_TIMEOUT_MS = 120_000;

/** How to run tests. Default: the named ones in this order, until one fails. */
interface RunOptions {
  readonly options?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

/** Runs some tests in one process: starting workers would take most of the time. */
async function runTests(
  cwd: string,
  tests: readonly string[],
  { options = IN_ORDER, variables = {} }: RunOptions = {},
): Promise<Outcome> {
  const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--silent', '--forceExit'];
  args.push('--runInBand', `--testTimeout=${TEST_TIMEOUT_MS}`, ...options, '--', ...tests);
  // A process group of its own, so that the processes that tests have started can be killed with it.
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...variables },
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
    // jest writes a line when each suite ends.
    timer.refresh();
    said += part;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  const ended = [...said.matchAll(/^(FAIL|PASS) (\S+)(?: \(([\d.]+) m?s\))?/gm)];
  const failed = ended.filter(([, how]) => how === 'FAIL').map(([, , name = '']) => name);
  if (code !== 0 && failed.length === 0 && !isLate) throw new Error(`jest ended with ${code}:\n${said}`);
  return {
    failed,
    isLate,
    durations: new Map(ended.map(([, , name = '', time]) => [name, Number(time ?? 0)])),
  };
}

/** Makes jest run the tests in the given order, and stop after the first failure. */
const IN_ORDER = ['--bail', '--testSequencer', './lab/mutate/in-given-order.mjs'];
