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
  /** Milliseconds of a clock that nobody sets. */
  readonly now?: () => number;
}

/** A lock of another command. */
interface FoundLock {
  readonly mark: string;
  /** When it was written, by the clock of the wall. */
  readonly writtenMs: number;
}

/** When a lock counts as abandoned; see {@link LockOptions}. Milliseconds. */
interface Limits {
  readonly staleMs: number;
  readonly namelessMs: number;
  /** How long a lock is watched whose time has not come: the clock has been set back, and nobody can tell its age. */
  readonly undatedMs: number;
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
  { waitMs = 30_000, staleMs = 60_000, namelessMs = 2_000, now = () => performance.now() }: LockOptions = {},
): Promise<T> {
  const lockFile = `${file}.lock`;
  const mark = `process ${process.pid} on ${os.hostname()} (${randomUUID()})\n`;
  const limits = { staleMs, namelessMs, undatedMs: waitMs / 2 };
  const deadlineMs = now() + waitMs;
  let seen: FoundLock | undefined;
  let seenSinceMs = 0;
  while (!(await takeLock(lockFile, mark))) {
    const found = await lookAt(lockFile);
    if (found?.mark !== seen?.mark || found?.writtenMs !== seen?.writtenMs)
      [seen, seenSinceMs] = [found, now()];
    if (found !== undefined && isAbandoned(found, now() - seenSinceMs, limits)) {
      await clear(lockFile, found.mark);
      continue;
    }
    // Also where there is nothing to see of what is in the way, as of a link that leads nowhere.
    if (now() > deadlineMs) throw new TokenStoreError(await describeHolder(lockFile));
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

/** What there is to see of a lock; undefined when it is free. */
async function lookAt(lockFile: string): Promise<FoundLock | undefined> {
  const mark = await readIfPresent(lockFile);
  const stats = await stat(lockFile).catch(() => undefined);
  return mark === undefined || stats === undefined ? undefined : { mark, writtenMs: stats.mtimeMs };
}

/** Removes a lock whose owner is gone, unless somebody else has done so. */
async function clear(lockFile: string, mark: string): Promise<void> {
  // Renaming picks one among those who found it abandoned; a lock that was taken meanwhile is put back.
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readIfPresent(aside)) !== mark) await link(aside, lockFile).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Who holds a lock, as far as it says so. */
function holderOf(mark: string): { readonly pid: number; readonly host: string } | undefined {
  const [, pid, host] = /^process (\d{1,10}) on ([\w.-]{1,255}) \(/.exec(mark) ?? [];
  return host === undefined ? undefined : { pid: Number(pid), host };
}

/** Whether a lock's holder is gone, or has held it longer than any command runs. `watchedMs`: for so long it has been seen unchanged. */
function isAbandoned(
  { mark, writtenMs }: FoundLock,
  watchedMs: number,
  { staleMs, namelessMs, undatedMs }: Limits,
): boolean {
  const ageMs = Date.now() - writtenMs;
  const holder = holderOf(mark);
  // Something else made it, or a command whose disk was full: nobody will ever remove it.
  if (holder === undefined) return Math.max(ageMs, watchedMs) > namelessMs;
  if (ageMs > staleMs || (ageMs < 0 && watchedMs > undatedMs)) return true;
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
