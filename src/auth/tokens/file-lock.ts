/** A lock file: one command at a time changes a token file, and what a killed one leaves behind stops nobody. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenStoreError } from './token-store-error.ts';
import { codeOf } from './system-error.ts';

/** Times in milliseconds. */
export interface LockOptions {
  /** How long a lock is waited for. */
  readonly waitMs?: number;
  /** After which time even the lock of a process that lives, or cannot be asked, is abandoned. */
  readonly staleMs?: number;
  /** After which time a lock that names nobody is abandoned. */
  readonly namelessMs?: number;
}

/** Whether the lock is still ours: a process that was stopped for long may have lost it. */
export type IsHeld = () => Promise<boolean>;

/**
 * Runs `work` while no other command holds the lock of this file.
 * @throws {TokenStoreError} naming its holder, when another one holds it for too long
 */
export async function withLock<T>(
  file: string,
  work: (isHeld: IsHeld) => Promise<T>,
  { waitMs = 30_000, staleMs = 60_000, namelessMs = 2_000 }: LockOptions = {},
): Promise<T> {
  const lockFile = `${file}.lock`;
  const mark = `process ${process.pid} on ${os.hostname()} (${randomUUID()})\n`;
  const deadlineMs = Date.now() + waitMs;
  while (!(await takeLock(lockFile, mark))) {
    if (await clearAbandoned(lockFile, { staleMs, namelessMs })) continue;
    if (Date.now() > deadlineMs) throw new TokenStoreError(await describeHolder(lockFile));
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
  // Written aside and linked, so that a lock is never seen without its holder, not even when the disk is full.
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    // Others may have to read who holds it.
    await writeFile(aside, mark, { flag: 'wx', mode: 0o644 });
    await link(aside, lockFile).catch(async (error: unknown) => {
      if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') throw error;
      // A file system without links.
      await writeFile(lockFile, mark, { flag: 'wx', mode: 0o644 });
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Removes a lock whose owner is gone; returns whether the lock may be free now. */
async function clearAbandoned(
  lockFile: string,
  limits: Required<Pick<LockOptions, 'staleMs' | 'namelessMs'>>,
): Promise<boolean> {
  const mark = await readIfPresent(lockFile);
  if (mark === undefined) return true;
  if (!(await isAbandoned(lockFile, mark, limits))) return false;
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

/** Who holds a lock, as far as it says so. */
function holderOf(mark: string): { readonly pid: number; readonly host: string } | undefined {
  const [, pid, host] = /^process (\d{1,10}) on ([\w.-]{1,255}) \(/.exec(mark) ?? [];
  return host === undefined ? undefined : { pid: Number(pid), host };
}

/** Whether a lock's holder is gone, or has held it longer than any command runs. */
async function isAbandoned(
  lockFile: string,
  mark: string,
  { staleMs, namelessMs }: Required<Pick<LockOptions, 'staleMs' | 'namelessMs'>>,
): Promise<boolean> {
  const { mtimeMs } = await stat(lockFile).catch(() => ({ mtimeMs: Date.now() }));
  const ageMs = Date.now() - mtimeMs;
  const holder = holderOf(mark);
  // Something else made it, or a command whose disk was full: nobody will ever remove it.
  if (holder === undefined) return ageMs > namelessMs;
  if (ageMs > staleMs) return true;
  // A process of another machine, or of another container, cannot be asked.
  if (holder.host !== os.hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** What to tell somebody who waited in vain. */
async function describeHolder(lockFile: string): Promise<string> {
  const holder = holderOf((await readIfPresent(lockFile)) ?? '');
  const who = holder === undefined ? 'another command' : `process ${holder.pid} on ${holder.host}`;
  return `The file is being changed by ${who}: ${lockFile} exists. If that does not run any more, delete the lock.`;
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
