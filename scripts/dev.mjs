/**
 * `npm run dev`: installs what is missing, compiles on every change into `.dev/`, and restarts the server when that succeeded. A build
 * that fails leaves the server as it is.
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
The token file is read again by the running server.
`;

// Not dist/: tests and builds in another terminal have that for themselves.
const OUT = '.dev';

/** What a restart takes over besides compiled code. */
const WATCHED = ['.env', 'package.json', 'node_modules/.package-lock.json', 'public'];
const LOOK_MS = 300;

// Where it appears, authentication is on from then on. Where it goes, nothing opens by itself: that takes a start by hand.
const TOKENS = path.join(ROOT, 'tokens.json');

// Seals the sessions of this run: the server that is started next goes on with them.
const SECRET = randomBytes(32).toString('base64url');

/** How long calls that are under way may take to end before a restart cuts them. */
const PATIENCE_MS = 1_000;

helpOrRefuse(process.argv.slice(2), USAGE);
await prepareOrExit({ withBuild: false });
run();

/** Wires compiler, watch and signals to one server. */
function run() {
  const server = createRestarter();
  let isBuilt = false;
  const compiler = compile({
    onSuccess: () => {
      isBuilt = true;
      server.restart();
    },
    onFailure: () => say('the build failed; what ran before goes on'),
  });

  let hasTokens = false;
  /** All that a restart would take over, in a form that can be compared. */
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
  // A terminal that is closed sends SIGHUP, for which the server reads its tokens again.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end());
  compiler.once('exit', (code) => {
    if (!isEnding) say(`the compiler ended with exit code ${code}`);
    void end();
  });
}

/**
 * Compiles again and again; tells after each time how it went.
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

/** The server that runs, if one does: one restart at a time, and the last one asked for counts. */
function createRestarter() {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  /** @type {Promise<void> | undefined} */
  let waiting;
  let queue = Promise.resolve();

  /** Ends the server: politely, and after a while at once. */
  const stop = async () => {
    const ended = child;
    if (ended === undefined) return;
    const exit = new Promise((resolve) => {
      ended.once('exit', resolve);
    });
    ended.kill('SIGTERM');
    // Asked twice, the server does not wait for calls any more.
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

  /** Ends the server, if one runs, and starts it. */
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
 * Starts a program that ends with this process, however that ends.
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
 * The variables of the server: where no secret is set, with one for this run. All else is as with `npm start`: a secret alone would
 * switch signing in on, and hide that REDIS_URL needs one.
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
 * What can be seen of files and of those in folders: when they changed, and that they are there.
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
 * Tells the person at the terminal.
 *
 * @param {string} line
 */
function say(line) {
  process.stderr.write(`dev: ${line}\n`);
}
