/** Starts real processes for end-to-end tests, with a bare environment and their output kept, and ends all of them. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** How a process has ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The process to start. */
export interface ProcessOptions {
  readonly args: readonly string[];
  /** The program. Default: this Node. */
  readonly command?: string;
  readonly cwd: string;
  /** Variables besides PATH and a HOME of its own; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user id that it runs as. Default: that of this process. */
  readonly uid?: number | undefined;
}

/** A process under test. */
export interface TestProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** Everything it has written to stdout. */
  stdout(): string;
  /** Everything it has written to stderr. */
  stderr(): string;
  /** Resolves when it has ended and its output is complete. */
  readonly ended: Promise<Ending>;
}

/** Owns the processes and folders that tests make: `close`, in an `afterEach` or `afterAll`, removes all of them. */
export interface Sandbox {
  /** Makes a folder with these files, which only their owner can read. */
  folder(files?: Readonly<Record<string, string>>): Promise<string>;
  spawn(options: ProcessOptions): TestProcess;
  /** Registers something to run at `close`, before the processes are killed. */
  defer(end: () => Promise<unknown>): void;
  close(): Promise<void>;
}

/** The folder of the checkout. */
export const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** Makes an empty sandbox. */
export function createSandbox(): Sandbox {
  const processes: TestProcess[] = [];
  const folders: string[] = [];
  const deferred: (() => Promise<unknown>)[] = [];
  const folder: Sandbox['folder'] = async (files = {}) => {
    const made = await mkdtemp(path.join(tmpdir(), 'mcp-e2e-'));
    folders.push(made);
    for (const [name, content] of Object.entries(files))
      await writeFile(path.join(made, name), content, { mode: 0o600 });
    return made;
  };
  return {
    folder,
    spawn(options) {
      const started = startProcess(options);
      processes.push(started);
      return started;
    },
    defer: (end) => void deferred.push(end),
    async close() {
      await Promise.allSettled(deferred.splice(0).map((end) => end()));
      for (const { child } of processes) child.kill('SIGKILL');
      await Promise.all(processes.splice(0).map(({ ended }) => ended));
      await Promise.all(folders.splice(0).map((name) => rm(name, { recursive: true, force: true })));
    },
  };
}

/** The path of a compiled file, such as `src/main.js`; throws when nothing has been built. */
export function builtFile(name: string): string {
  const file = path.join(ROOT, 'dist', name);
  if (!existsSync(file)) throw new Error(`dist/${name} is missing: build first, with npm run build.`);
  return file;
}

/** The environment of a spawned process: enough to find programs, and none of the developer's own settings. */
export function bareEnvironment(home: string, env: Readonly<Record<string, string>> = {}) {
  return { PATH: process.env['PATH'] ?? '', HOME: home, ...env };
}

/** Polls until `check` returns something other than undefined or false. `what` names it in the error when it never does. */
export async function waitFor<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(20);
  }
}

/** A limit for a duration, in milliseconds; longer in proportion when the machine is overloaded. */
export function atMost(limitMs: number): number {
  const [load = 0] = loadavg();
  return limitMs * Math.max(1, load / availableParallelism());
}

/** Waits for a process to end; when it does not, the error has what it wrote to stderr. */
export async function waitForEnd(
  { ended, stderr }: TestProcess,
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<Ending> {
  const timer = new AbortController();
  const tooLate = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`Not ended after ${timeoutMs} ms:\n${stderr()}`);
  });
  try {
    return await Promise.race([ended, tooLate]);
  } finally {
    timer.abort();
    tooLate.catch(() => undefined);
  }
}

/** Starts a process and keeps its output. */
function startProcess({ command = process.execPath, args, cwd, env, uid }: ProcessOptions): TestProcess {
  const child = spawn(command, [...args], {
    cwd,
    env: bareEnvironment(cwd, env),
    ...(uid !== undefined && { uid }),
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  // Writing to a process that has ended must not fail the test; the way it ended may.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', (error) => (output.stderr += String(error)));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, ended, stdout: () => output.stdout, stderr: () => output.stderr };
}
