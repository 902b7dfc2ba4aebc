/** A lock file: one command at a time changes a token file, and what a killed one leaves behind stops nobody. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, EXIT } from './command-error.ts';
import { codeOf } from './system-error.ts';

/** How long a lock is waited for, and after which time even the lock of a living process is abandoned. */
export interface LockOptions {
  readonly waitMs?: number;
  readonly staleMs?: number;
}

/** Whether the lock is still ours: a process that was stopped for long may have lost it. */
export type IsHeld = () => Promise<boolean>;

/**
 * Runs `work` while no other command holds the lock of this file.
 * @throws {CommandError} when another one holds it for too long
 */
export async function withLock<T>(
  file: string,
  work: (isHeld: IsHeld) => Promise<T>,
  { waitMs = 10_000, staleMs = 60_000 }: LockOptions = {},
): Promise<T> {
  const lockFile = `${file}.lock`;
  const mark = `${process.pid} ${os.hostname()} ${randomUUID()}`;
  const deadlineMs = Date.now() + waitMs;
  while (!(await takeLock(lockFile, mark))) {
    if (await clearAbandoned(lockFile, staleMs)) continue;
    if (Date.now() > deadlineMs) throw new CommandError(EXIT.failed, describeHolder(lockFile));
    // Uneven, so that commands which wait together do not ask together.
    await sleep(10 + Math.random() * 30);
  }
  const isHeld = async (): Promise<boolean> => (await readIfPresent(lockFile)) === mark;
  try {
    return await work(isHeld);
  } finally {
    if (await isHeld()) await rm(lockFile, { force: true });
  }
}

/** Creates the lock file unless it is there. */
async function takeLock(lockFile: string, mark: string): Promise<boolean> {
  try {
    await writeFile(lockFile, mark, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose owner is gone; returns whether the lock may be free now. */
async function clearAbandoned(lockFile: string, staleMs: number): Promise<boolean> {
  const mark = await readIfPresent(lockFile);
  if (mark === undefined) return true;
  if (!(await isAbandoned(lockFile, mark, staleMs))) return false;
  // Renaming picks one among those who found it abandoned; a lock that was taken meanwhile is put back.
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
  if ((await readIfPresent(aside)) !== mark) await link(aside, lockFile).catch(() => undefined);
  await rm(aside, { force: true });
  return true;
}

/** Whether a lock's owner is gone, or has held it longer than any command runs. */
async function isAbandoned(lockFile: string, mark: string, staleMs: number): Promise<boolean> {
  const { mtimeMs } = await stat(lockFile).catch(() => ({ mtimeMs: Date.now() }));
  if (Date.now() - mtimeMs > staleMs) return true;
  const [pid = '', host] = mark.split(' ');
  // A mark that is just being written has no owner yet; a process of another machine cannot be asked.
  if (!/^\d+$/.test(pid) || host !== os.hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** What to tell somebody who waited in vain. */
function describeHolder(lockFile: string): string {
  return `Another command is changing the file: ${lockFile} exists. If none is running, delete it.`;
}

/** A file's text, or undefined when there is none. */
async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
