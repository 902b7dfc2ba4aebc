/** Makes a checkout ready to run: checks Node, installs dependencies and builds `dist/`, each only when needed. */

// An old Node must be able to parse this file in order to refuse itself, so its syntax is that of Node 14.
// All messages go to stderr, since stdout may carry the stdio transport.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, readIfPresent } from './files.mjs';
import { helpOrRefuse } from './help.mjs';
import { isInstalledAs } from './installed.mjs';
import { lock } from './lock.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The compiled program depends on these files, and on the code and JSON files in these folders. */
const BUILD_INPUTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'scripts',
  'lab',
  'examples',
];
const INSTALL_STAMP = 'node_modules/.prepare-stamp';
const BUILD_STAMP = 'dist/.stamp';
// npm's own list of the packages in node_modules.
const INSTALLED = 'node_modules/.package-lock.json';

const USAGE =
  'npm run build: installs the dependencies and compiles into dist/, each only when that is needed.\n';

/** A failure whose message is all that a person needs. */
class PrepareError extends Error {}

/**
 * Prepares the checkout. When that fails, prints why in one line and ends the process.
 *
 * @param {{ withBuild?: boolean }} [options]
 */
export async function prepareOrExit({ withBuild = true } = {}) {
  try {
    await prepare(ROOT, withBuild);
  } catch (error) {
    // The message of a system error, such as a full disk, explains it as well.
    if (!(error instanceof PrepareError || (error instanceof Error && 'code' in error))) throw error;
    say(error.message);
    process.exit(1);
  }
}

/**
 * Checks that a Node version is in a range; throws, with both in the message, when it is below.
 *
 * @param {string} version such as `process.versions.node`
 * @param {string} range `>=` and a version, as package.json's `engines.node` has it
 */
export function checkNode(version, range) {
  const found = version.split('.').map(Number.parseFloat);
  const needed = range.replace('>=', '').split('.').map(Number.parseFloat);
  for (const [index, part] of needed.entries()) {
    const actual = found[index] ?? 0;
    if (actual > part) return;
    if (actual < part) throw new PrepareError(`Node ${range} is needed, this is Node ${version}.`);
  }
}

/**
 * Checks Node, then installs and builds what is missing or out of date, one process at a time.
 *
 * @param {string} root
 * @param {boolean} withBuild
 */
async function prepare(root, withBuild) {
  /** @type {{ engines: { node: string } }} */
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- our own file, and zod may not be installed yet
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  checkNode(process.versions.node, manifest.engines.node);
  const isReady = () => isInstalled(root) && (!withBuild || isBuilt(root));
  if (isReady()) return;

  const unlock = await lock(path.join(root, '.prepare.lock'), {
    onWait: () => say('waiting for another process that is installing or building'),
  });
  try {
    // Another process may have done it while this one waited for the lock.
    if (!isInstalled(root)) await install(root);
    if (!isReady()) await build(root);
  } finally {
    unlock();
  }
}

/**
 * Whether `node_modules` is as the lock file says, whoever installed it.
 *
 * @param {string} root
 */
function isInstalled(root) {
  const lockText = readIfPresent(path.join(root, 'package-lock.json'));
  const installedText = readIfPresent(path.join(root, INSTALLED));
  if (lockText !== undefined && installedText !== undefined) {
    if (isInstalledAs(lockText, installedText, (folder) => fs.existsSync(path.join(root, folder))))
      return true;
  }
  // What `npm ci` has made of this very lock file counts as installed, even if the comparison fails: a second run would change nothing.
  return readIfPresent(path.join(root, INSTALL_STAMP)) === installHashOf(root);
}

/**
 * A digest of the lock file and of npm's own list.
 *
 * @param {string} root
 */
function installHashOf(root) {
  return hashOf(root, ['package-lock.json', INSTALLED]);
}

/**
 * Whether `dist/` was built from the present sources.
 *
 * @param {string} root
 */
function isBuilt(root) {
  return readIfPresent(path.join(root, BUILD_STAMP)) === hashOf(root, BUILD_INPUTS);
}

/**
 * Installs exactly what the lock file names, development tools included: the build needs them, whatever NODE_ENV says.
 *
 * @param {string} root
 */
async function install(root) {
  say('installing dependencies (npm ci)');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under npm, use the npm that is running, which need not be the first on the PATH.
  const npmCli = process.env['npm_execpath'];
  // npm's stdout is only a summary; errors are on stderr.
  if (npmCli?.endsWith('npm-cli.js')) await run(root, [process.execPath, npmCli, ...args], 'ignore');
  else await run(root, ['npm', ...args], 'ignore');
  fs.writeFileSync(path.join(root, INSTALL_STAMP), installHashOf(root));
}

/**
 * Compiles into an empty `dist/`, so that output of deleted sources does not stay.
 *
 * @param {string} root
 */
async function build(root) {
  say('building');
  // Taken before the compiler reads: then an edit during the build makes the stamp stale, and the next build runs.
  const hash = hashOf(root, BUILD_INPUTS);
  fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  // tsc reports errors on stdout.
  await run(root, [process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], 2);
  await joinModules(root);
  await compileAhead(root);
  fs.writeFileSync(path.join(root, BUILD_STAMP), hash);
}

/**
 * Joins what a start imports, if the bundler is installed, which makes starts shorter. See `scripts/join-modules.mjs`.
 *
 * @param {string} root
 */
async function joinModules(root) {
  if (!fs.existsSync(path.join(root, 'node_modules/esbuild'))) return;
  await run(root, [process.execPath, 'scripts/join-modules.mjs'], 'ignore');
}

/**
 * Keeps the code that V8 compiles of the program, which makes starts shorter. See `scripts/load-joined.mjs`.
 *
 * @param {string} root
 */
async function compileAhead(root) {
  const program = 'dist/scripts/compile-ahead.js';
  if (!fs.existsSync(path.join(root, program))) return;
  await run(root, [process.execPath, program], 'ignore');
}

/**
 * Runs a command to its end; throws when it fails. A signal that ends this process ends the command first.
 *
 * @param {string} root
 * @param {[string, ...string[]]} command
 * @param {2 | 'ignore'} stdout where its stdout goes; never to ours
 */
async function run(root, [program, ...args], stdout) {
  // On Windows npm is a .cmd file, which only a shell can start.
  const shell = program === 'npm' && process.platform === 'win32';
  const child = spawn(program, args, { cwd: root, shell, stdio: ['ignore', stdout, 2] });
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  const outcome = await outcomeOf(child);
  for (const signal of signals) process.removeListener(signal, pass);
  if (outcome !== undefined)
    throw new PrepareError(`failed: ${path.basename(program)} ${args.join(' ')} (${outcome})`);
}

/**
 * Waits for a process to end, and returns how it failed; undefined when it did not.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | undefined>}
 */
async function outcomeOf(child) {
  return new Promise((resolve) => {
    // The process could not be started.
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      if (signal !== null) resolve(`ended by ${signal}`);
      else resolve(code === 0 ? undefined : `exit code ${code}`);
    });
  });
}

/**
 * Prints a line for the person at the terminal.
 *
 * @param {string} line
 */
function say(line) {
  process.stderr.write(`prepare: ${line}\n`);
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  helpOrRefuse(process.argv.slice(2), USAGE);
  await prepareOrExit();
}
