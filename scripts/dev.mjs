/**
 * `npm run dev`: installs what is missing, compiles into `.dev/` on every change, and restarts the server when that succeeds. When a
 * build fails, the running server stays.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { helpOrRefuse } from './help.mjs';
import { prepareOrExit } from './prepare.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const USAGE = `npm run dev: serves as npm start does, and restarts on a change of the code, of public/, package.json or .env, until Ctrl-C.
The running server reads a changed token file again without a restart.
`;

// Not dist/, which tests and builds in another terminal use.
const OUT = '.dev';

/** What else a restart takes into account, besides compiled code. */
const WATCHED = ['.env', 'package.json', 'node_modules/.package-lock.json', 'public'];
const LOOK_MS = 300;

// When the file appears, the server restarts with authentication on. When it goes, authentication stays on until a start by hand.
const TOKENS = path.join(ROOT, 'tokens.json');

// Seals the sessions of this run, so that the server goes on with them after a restart.
const SECRET = randomBytes(32).toString('base64url');

/** How long a restart waits for running calls before it cuts them. Milliseconds. */
const PATIENCE_MS = 1_000;

helpOrRefuse(process.argv.slice(2), USAGE);
await prepareOrExit({ withBuild: false });
run();

/** Connects the compiler, the watch and the signals to one server. */
function run() {
  const server = createRestarter();
  let isBuilt = false;
  const compiler = compile({
    onSuccess: () => {
      isBuilt = true;
      server.restart();
    },
    onFailure: () => say('the build failed; the server goes on with the previous build'),
  });

  let hasTokens = false;
  /** Everything that a restart would take into account, as one text to compare. */
  const look = () => {
    hasTokens ||= fs.existsSync(TOKENS);
    return `${hasTokens} ${stateOf(WATCHED)}`;
  };
  let state = look();
  const timer = setInterval(() => {
    const next = look();
    if (next === state) return;
    state = next;
    if (isBuilt) server.restart();
  }, LOOK_MS);

  let isEnding = false;
  /** Ends everything that was started, and then this process. */
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    clearInterval(timer);
    compiler.kill();
    await server.stop();
    process.exit(0);
  };
  // Closing a terminal sends SIGHUP, which would make the server only reload its tokens.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end());
  compiler.once('exit', (code) => {
    if (!isEnding) say(`the compiler ended with exit code ${code}`);
    void end();
  });
}

/**
 * Compiles on every change, and reports after each time whether it succeeded.
 *
 * @param {{ onSuccess: () => void, onFailure: () => void }} handlers
 */
function compile({ onSuccess, onFailure }) {
  const files = ['--outDir', OUT, '--incremental', '--tsBuildInfoFile', `${OUT}/.tsbuildinfo`];
  const looks = ['--watch', '--preserveWatchOutput', '--pretty', 'false', '--locale', 'en'];
  const tsc = startNode(
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...files, ...looks],
    'pipe',
  );
  let rest = '';
  tsc.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, errors] = /Found (\d+) errors?\. Watching for file changes/.exec(line) ?? [];
      if (errors === '0') onSuccess();
      else if (errors !== undefined) onFailure();
      else if (/error TS|^\s/.test(line) && line.trim() !== '') process.stderr.write(`${line}\n`);
    }
  });
  return tsc;
}

/** Keeps one server running. Restarts happen one at a time; requests that come while one is waiting are merged with it. */
function createRestarter() {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  /** @type {Promise<void> | undefined} */
  let waiting;
  let queue = Promise.resolve();

  /** Ends the server: asks it to, and kills it after a while. */
  const stop = async () => {
    const ended = child;
    if (ended === undefined) return;
    const exit = new Promise((resolve) => {
      ended.once('exit', resolve);
    });
    ended.kill('SIGTERM');
    // After a second SIGTERM the server does not wait for calls any more.
    const timer = setTimeout(() => ended.kill('SIGTERM'), PATIENCE_MS);
    const lastResort = setTimeout(() => ended.kill('SIGKILL'), 5 * PATIENCE_MS);
    await exit;
    clearTimeout(timer);
    clearTimeout(lastResort);
  };

  /** Starts the server. */
  const start = () => {
    const started = startNode(['--enable-source-maps', `${OUT}/src/main.js`], 'inherit', environment());
    child = started;
    started.once('exit', (code) => {
      if (child !== started) return;
      child = undefined;
      if (code !== 0) say('the server has ended; the next change starts it again');
    });
  };

  /** Ends the server, if one runs, and starts it again. */
  const again = async () => {
    waiting = undefined;
    await stop();
    start();
  };

  return {
    stop: async () => (queue = queue.then(stop)),
    restart() {
      waiting ??= queue = queue.then(again);
    },
  };
}

/**
 * Starts a program that ends when this process does, however this process ends.
 *
 * @param {readonly string[]} args
 * @param {'pipe' | 'inherit'} stdout
 * @param {NodeJS.ProcessEnv} [env]
 */
function startNode(args, stdout, env = process.env) {
  const preload = new URL('end-with-parent.mjs', import.meta.url).href;
  return spawn(process.execPath, ['--import', preload, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  });
}

/**
 * The environment of the server: when no secret is set, one for this run is added; signing in stays off, unless SIGN_IN is set, since a secret alone
 * would switch it on; and with REDIS_URL no secret is added, so that the server still says that it needs one.
 *
 * @returns {NodeJS.ProcessEnv}
 */
function environment() {
  const file = path.join(ROOT, '.env');
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  /** @param {string} name */
  const isSet = (name) =>
    process.env[name] !== undefined || new RegExp(`^\\s*(export\\s+)?${name}\\s*=`, 'm').test(text);
  if (isSet('SERVER_SECRET') || isSet('REDIS_URL')) return process.env;
  return { ...process.env, SERVER_SECRET: SECRET, ...(!isSet('SIGN_IN') && { SIGN_IN: 'false' }) };
}

/**
 * The state of files, and of the files in folders, as a text: when each changed, its size, and whether it exists.
 *
 * @param {readonly string[]} names
 * @returns {string}
 */
function stateOf(names) {
  return names
    .map((name) => {
      const stats = fs.statSync(path.join(ROOT, name), { throwIfNoEntry: false });
      if (stats?.isDirectory() !== true) return `${name} ${stats?.mtimeMs} ${stats?.size}`;
      return stateOf(fs.readdirSync(path.join(ROOT, name)).map((entry) => `${name}/${entry}`));
    })
    .join('\n');
}

/**
 * Prints a line for the person at the terminal.
 *
 * @param {string} line
 */
function say(line) {
  process.stderr.write(`dev: ${line}\n`);
}
