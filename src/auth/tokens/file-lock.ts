/** A lock file: one command at a time changes a token file. A lock that a killed command has left behind stops nobody. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenStoreError } from './token-store-error.ts';
import { codeOf } from './system-error.ts';

/** The times of a lock. Milliseconds. */
export interface LockOptions {
  /** How long to wait for the lock. */
  readonly waitMs?: number;
  /** The age at which a lock counts as abandoned, even if its process is alive or cannot be checked. */
  readonly staleMs?: number;
  /** The age at which a lock that names no process counts as abandoned. */
  readonly namelessMs?: number;
  /** A clock that nobody can set. Milliseconds. */
  readonly now?: () => number;
}

/** A lock that another command holds. */
interface FoundLock {
  readonly mark: string;
  /** When it was written, by the wall clock. Milliseconds since the epoch. */
  readonly writtenMs: number;
}

/** When a lock counts as abandoned; see {@link LockOptions}. Milliseconds. */
interface Limits {
  readonly staleMs: number;
  readonly namelessMs: number;
  /** How long a lock with a time in the future is watched before it counts as abandoned: the clock was set back, so its age is unknown. */
  readonly undatedMs: number;
}

/** Whether this process still holds the lock: it may have lost it if it was suspended for long. */
export type IsHeld = () => Promise<boolean>;

/**
 * Runs `work` while it holds the lock of a file, which one command holds at a time.
 * @throws {TokenStoreError} naming the holder, when another command holds the lock for too long
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
    // This also ends the wait for a lock file that shows nothing, such as a link that leads nowhere.
    if (now() > deadlineMs) throw new TokenStoreError(await describeHolder(lockFile));
    // A random pause, so that waiting commands do not all try at the same time.
    await sleep(10 + Math.random() * 30);
  }
  const isHeld = async (): Promise<boolean> => (await readIfPresent(lockFile)) === mark;
  try {
    return await work(isHeld);
  } finally {
    if (await isHeld()) await rm(lockFile, { force: true });
  }
}

/** Creates the lock file. Returns false when there is one already. */
async function takeLock(lockFile: string, mark: string): Promise<boolean> {
  // Written to a file of its own and then linked, so that a lock always names its holder, even when the disk is full.
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    // Everybody may read it: other users need to see who holds the lock.
    await writeFile(aside, mark, { flag: 'wx', mode: 0o644 });
    await link(aside, lockFile).catch(async (error: unknown) => {
      if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') throw error;
      // The file system has no hard links.
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

/** Reads a lock; undefined when there is none. */
async function lookAt(lockFile: string): Promise<FoundLock | undefined> {
  const mark = await readIfPresent(lockFile);
  const stats = await stat(lockFile).catch(() => undefined);
  return mark === undefined || stats === undefined ? undefined : { mark, writtenMs: stats.mtimeMs };
}

/** Removes an abandoned lock, unless another command has done so. */
async function clear(lockFile: string, mark: string): Promise<void> {
  // Of all that found the lock abandoned, one can rename it. A lock that was taken in the meantime is put back.
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

/** The process that a lock names as its holder; undefined when it names none. */
function holderOf(mark: string): { readonly pid: number; readonly host: string } | undefined {
  const [, pid, host] = /^process (\d{1,10}) on ([\w.-]{1,255}) \(/.exec(mark) ?? [];
  return host === undefined ? undefined : { pid: Number(pid), host };
}

/** Whether a lock's holder is gone, or has held it longer than any command runs. `watchedMs`: how long the lock has been seen unchanged. */
function isAbandoned(
  { mark, writtenMs }: FoundLock,
  watchedMs: number,
  { staleMs, namelessMs, undatedMs }: Limits,
): boolean {
  const ageMs = Date.now() - writtenMs;
  const holder = holderOf(mark);
  // Another program has made it, or a command whose disk was full: nobody else will ever remove it.
  if (holder === undefined) return Math.max(ageMs, watchedMs) > namelessMs;
  if (ageMs > staleMs || (ageMs < 0 && watchedMs > undatedMs)) return true;
  // A process on another machine or in another container cannot be checked.
  if (holder.host !== os.hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** The message when the wait was in vain. */
async function describeHolder(lockFile: string): Promise<string> {
  const holder = holderOf((await readIfPresent(lockFile)) ?? '');
  const who = holder === undefined ? 'another command' : `process ${holder.pid} on ${holder.host}`;
  return `The file is being changed by ${who}: ${lockFile} exists. If that no longer runs, delete this lock file.`;
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
