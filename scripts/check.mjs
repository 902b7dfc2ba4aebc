/**
 * `npm test`: installs and builds what is missing, then runs the tests, lint, types and format, even if one of them fails,
 * and prints one summary at the end. Arguments choose tests, as with jest.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isHelpWanted } from './help.mjs';
import { prepareOrExit } from './prepare.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const USAGE = `npm test: installs and builds when needed, runs the tests (those of changed code first), then checks lint, types and format.

npm test -- tests/auth     only the tests whose path contains this
CI=true npm test           also runs the tests that take long, which are left to CI otherwise
npm test -- -t "a name"    only the tests whose name contains this
npm test -- --look-twice   runs failed test files once more, one at a time, and says so at the end: for a busy machine
Other arguments are jest's: npm run jest -- --help lists them.
`;

/** The most failed files that are run again: when more fail, the reason is not that the machine is busy. */
const MOST_LOOKED_AT = 5;

/** The checks besides the tests: scripts of package.json, and a hint for what they find. */
const STATIC_CHECKS = [
  // Lint checks types as well: it has them anyway, and the compiler alone takes twice as long as all of lint.
  { name: 'lint', hint: 'npm run fix corrects some of it' },
  { name: 'format', hint: 'npm run fix corrects it' },
];

/** @typedef {{ name: string, isGood: boolean, words: string, output: string }} Outcome The result of a check. */

const args = process.argv.slice(2);
if (isHelpWanted(args)) process.stdout.write(USAGE);
else {
  await prepareOrExit();
  process.exitCode = await check(args);
}

/**
 * Runs all checks; returns the exit code.
 *
 * @param {readonly string[]} options
 */
async function check(options) {
  const jestArgs = options.filter((option) => option !== '--look-twice');
  const tests = await (jestArgs.length < options.length ? runTestsTwice(jestArgs) : runTests(jestArgs));
  const others = await Promise.all(STATIC_CHECKS.map(runScript));
  for (const { name, isGood, output } of others)
    if (!isGood) process.stderr.write(`\n--- npm run ${name}\n${output}`);
  process.stderr.write('\n');
  for (const { name, isGood, words } of [tests, ...others])
    process.stderr.write(`${`${isGood ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${words}`.trimEnd()}\n`);
  return [tests, ...others].every(({ isGood }) => isGood) ? 0 : 1;
}

/**
 * Runs the tests, then runs files that failed once more by themselves: a wait that is too short on a busy machine is no fault of
 * the code under test, but what fails by itself is.
 *
 * @param {readonly string[]} jestArgs
 * @returns {Promise<Outcome>}
 */
async function runTestsTwice(jestArgs) {
  const first = await runTests(jestArgs);
  if (first.isGood || first.failedFiles.length === 0 || first.failedFiles.length > MOST_LOOKED_AT)
    return first;
  const files = first.failedFiles.join(', ');
  process.stderr.write(`\nRunning again, one at a time: ${files}\n`);
  // Without workers, jest would not end while a failed test has something open.
  const alone = ['--runInBand', '--forceExit'];
  const { isGood } = await runTests([...alone, '--runTestsByPath', ...first.failedFiles]);
  return {
    ...first,
    isGood,
    words: `${first.words}; run again, one at a time, ${isGood ? 'passed' : 'failed'}: ${files}`,
  };
}

/**
 * Runs jest at the terminal. Its reporter sends the counts, and the files in which a test failed.
 *
 * @param {readonly string[]} jestArgs
 * @returns {Promise<Outcome & { failedFiles: readonly string[] }>}
 */
async function runTests(jestArgs) {
  const [, ...command] = scriptOf('jest').split(' ');
  let words = 'ended before the last test';
  /** @type {readonly string[]} */
  let failedFiles = [];
  const child = spawn(process.execPath, [...command, ...jestArgs], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (/** @type {import('../tests/support/skipped-reporter.mjs').Report} */ report) => {
    words = describeCounts(report.counts);
    failedFiles = report.failedFiles;
  });
  return { name: 'tests', isGood: (await exitCodeOf(child)) === 0, words, output: '', failedFiles };
}

/**
 * Puts the reporter's counts into jest's own words, and says how the tests are run that are left to CI.
 *
 * @param {Readonly<Record<string, number>>} counts
 */
function describeCounts(counts) {
  const kinds = Object.entries(counts).filter(([kind, count]) => count !== 0 || kind === 'total');
  const isLeftToCi = counts['skipped'] !== 0 && (process.env['CI'] ?? '') === '';
  const hint = isLeftToCi ? ' (CI=true npm test runs all that can run here)' : '';
  return `Tests: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')}${hint}`;
}

/**
 * Runs a script of package.json as npm would, and captures its output.
 *
 * @param {{ name: string, hint: string }} script
 * @returns {Promise<Outcome>}
 */
async function runScript({ name, hint }) {
  const bin = path.join(ROOT, 'node_modules', '.bin');
  // On Windows the variable is called Path.
  const key = Object.keys(process.env).find((variable) => variable.toUpperCase() === 'PATH') ?? 'PATH';
  const child = spawn(scriptOf(name), {
    cwd: ROOT,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [key]: `${bin}${path.delimiter}${process.env[key] ?? ''}` },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  const isGood = (await exitCodeOf(child)) === 0;
  return { name, isGood, words: isGood ? '' : hint, output };
}

/**
 * Waits for a process and its output to end. Returns its exit code; null when a signal ended it or it could not be started.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number | null>}
 */
async function exitCodeOf(child) {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
}

/**
 * The command of a script in package.json.
 *
 * @param {string} name
 */
function scriptOf(name) {
  /** @type {{ scripts: Record<string, string> }} */
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- our own file
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const script = scripts[name];
  if (script === undefined) throw new Error(`package.json has no script ${name}.`);
  return script;
}
