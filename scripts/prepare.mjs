/** Brings a checkout into a state that runs: Node new enough, dependencies installed, `dist/` built; nothing is done twice. */

// An old Node must be able to parse this file in order to refuse itself, so its syntax is Node 14's.
// Everything is said on stderr: stdout may belong to the stdio protocol.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Files, and folders whose TypeScript and JSON files, the compiled program depends on. */
const BUILD_INPUTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'scripts',
  'lab',
];
const INSTALL_STAMP = 'node_modules/.prepare-stamp';
const BUILD_STAMP = 'dist/.stamp';
const LOCK = '.prepare.lock';
// Longer than any install: whoever left an older lock is gone, even if its process id is in use again.
const LOCK_MAX_AGE_MS = 10 * 60_000;

/** A failure whose message is all there is to say. */
class PrepareError extends Error {}

/** Prepares the checkout, or says in one line why not and ends the process. */
export function prepareOrExit() {
  try {
    prepare(ROOT);
  } catch (error) {
    // A system error, such as a full disk, is explained by its message as well.
    if (!(error instanceof PrepareError || (error instanceof Error && 'code' in error))) throw error;
    say(error.message);
    process.exit(1);
  }
}

/**
 * Throws, with the two versions in the message, when a Node version is below what a range asks for.
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
 */
function prepare(root) {
  /** @type {{ engines: { node: string } }} */
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- our own file, and zod may not be installed yet
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  checkNode(process.versions.node, manifest.engines.node);
  if (isInstalled(root) && isBuilt(root)) return;

  const unlock = lock(path.join(root, LOCK));
  try {
    // Another process may have done either while this one waited for the lock.
    if (!isInstalled(root)) install(root);
    if (!isBuilt(root)) build(root);
  } finally {
    unlock();
  }
}

/**
 * Whether `node_modules` is what the lock file says.
 *
 * @param {string} root
 */
function isInstalled(root) {
  return readIfPresent(path.join(root, INSTALL_STAMP)) === hashOf(root, ['package-lock.json']);
}

/**
 * Whether `dist/` was built from the sources as they are.
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
function install(root) {
  say('installing dependencies (npm ci)');
  const hash = hashOf(root, ['package-lock.json']);
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under npm, the npm that is running; it need not be the first on the PATH.
  const npmCli = process.env['npm_execpath'];
  // Its stdout is a summary that nobody needs; what goes wrong is on stderr.
  if (npmCli?.endsWith('npm-cli.js')) run(root, [process.execPath, npmCli, ...args], 'ignore');
  else run(root, ['npm', ...args], 'ignore');
  fs.writeFileSync(path.join(root, INSTALL_STAMP), hash);
}

/**
 * Compiles into an empty `dist/`, so that what was deleted from the sources is gone there too.
 *
 * @param {string} root
 */
function build(root) {
  say('building');
  // Taken before the compiler reads: an edit while it runs makes the stamp stale, not the build.
  const hash = hashOf(root, BUILD_INPUTS);
  fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  // tsc reports errors on stdout.
  run(root, [process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], 2);
  fs.writeFileSync(path.join(root, BUILD_STAMP), hash);
}

/**
 * Runs a command to its end; throws when it fails.
 *
 * @param {string} root
 * @param {[string, ...string[]]} command
 * @param {2 | 'ignore'} stdout where its stdout goes; never to ours
 */
function run(root, [program, ...args], stdout) {
  // On Windows npm is a .cmd file, which only a shell can start.
  const shell = program === 'npm' && process.platform === 'win32';
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    shell,
    stdio: ['ignore', stdout, 2],
  });
  if (status === 0) return;
  const outcome = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
  throw new PrepareError(`failed: ${path.basename(program)} ${args.join(' ')} (${outcome})`);
}

/**
 * Waits until no other process prepares this checkout; returns the function that lets the next one in.
 *
 * @param {string} file
 */
function lock(file) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    if (isAbandoned(file)) fs.rmSync(file, { force: true });
    else if (attempt === 0) say('waiting for another process that is installing or building');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

/**
 * Whether the process that made a lock ended without removing it.
 *
 * @param {string} file
 */
function isAbandoned(file) {
  const owner = Number(readIfPresent(file));
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  // An empty file is one whose owner is just writing its id.
  if (stats === undefined || owner === 0) return false;
  if (owner === process.pid || Date.now() - stats.mtimeMs > LOCK_MAX_AGE_MS) return true;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/**
 * A digest of the names and contents of files.
 *
 * @param {string} root
 * @param {string[]} inputs files, and folders to be searched for TypeScript and JSON
 */
function hashOf(root, inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesOf(root, input))) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * A file's own name, or those of the TypeScript and JSON files in a folder, in a stable order; none if it does not exist.
 *
 * @param {string} root
 * @param {string} name relative to the root
 * @returns {string[]}
 */
function filesOf(root, name) {
  const stats = fs.statSync(path.join(root, name), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [name];
  const entries = fs.readdirSync(path.join(root, name), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || /\.(ts|json)$/.test(entry.name))
    .map((entry) => entry.name)
    .toSorted()
    .flatMap((entry) => filesOf(root, `${name}/${entry}`));
}

/**
 * A text file's content, or undefined when there is none.
 *
 * @param {string} file
 */
function readIfPresent(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The code of a system error, such as ENOENT.
 *
 * @param {unknown} error
 */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Tells the person at the terminal.
 *
 * @param {string} line
 */
function say(line) {
  process.stderr.write(`prepare: ${line}\n`);
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  prepareOrExit();
}
