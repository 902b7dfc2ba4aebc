/** A lock file that lets one process of a checkout at a time install or build. A lock whose owner has died does not stay for long. */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.
import fs from 'node:fs';
import os from 'node:os';
import { codeOf } from './files.mjs';

/** How often waiting processes look at the lock. Milliseconds. */
const LOOK_MS = 50;

/**
 * Waits until no other process holds the lock, and takes it. Returns the function that releases it.
 *
 * @param {string} file
 * @param {object} options
 * @param {() => void} options.onWait called once, when the lock is another one's
 * @param {number} [options.touchMs] how often the maker touches the file
 * @param {number} [options.abandonedMs] a file that has not been touched for so long has been left behind
 * @returns {Promise<() => void>}
 */
export async function lock(file, { onWait, touchMs = 1_000, abandonedMs = 10_000 }) {
  /** The last seen state of another process's lock, and since when it has not changed. */
  let seen = '';
  let sinceMs = 0;
  let isTold = false;
  for (;;) {
    const unlock = take(file, touchMs);
    if (unlock !== undefined) return unlock;
    const found = look(file);
    // Age is measured by this process's own clock: the clocks of two machines that share a folder may differ, and a clock can be set back.
    if (found.state !== seen) {
      seen = found.state;
      sinceMs = performance.now();
    }
    if (found.isGone || performance.now() - sinceMs > abandonedMs) {
      // Removed only if no other process has taken it over in the meantime.
      if (look(file).state === seen) fs.rmSync(file, { recursive: true, force: true });
      continue;
    }
    if (!isTold) onWait();
    isTold = true;
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

/**
 * Creates the lock file and keeps touching it; undefined when the file exists already.
 *
 * @param {string} file
 * @param {number} touchMs
 * @returns {(() => void) | undefined}
 */
function take(file, touchMs) {
  let descriptor;
  try {
    descriptor = fs.openSync(file, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  try {
    fs.writeSync(descriptor, `${process.pid} ${os.hostname()}\n`);
  } catch (error) {
    // On a full disk, a file can be created but not filled.
    fs.rmSync(file, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
  const timer = setInterval(() => touch(file), touchMs);
  return () => {
    clearInterval(timer);
    fs.rmSync(file, { force: true });
  };
}

/**
 * Touches the file, to show that its owner is alive.
 *
 * @param {string} file
 */
function touch(file) {
  try {
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {
    // Somebody deleted the file; the work goes on all the same.
  }
}

/**
 * The state of a lock as a text to compare, and whether its owner is known to have ended.
 *
 * @param {string} file
 */
function look(file) {
  // lstat, since a dangling link also keeps the file from being created.
  const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  const text = textOf(file);
  const [, pid, host] = /^(\d+) (.+)\n$/.exec(text) ?? [];
  // The process ids of another machine, or container, mean nothing here.
  const isGone = pid !== undefined && host === os.hostname() && hasEnded(Number(pid));
  return { state: stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeNs} ${text}`, isGone };
}

/**
 * The content of a lock; empty when it cannot be read.
 *
 * @param {string} file
 */
function textOf(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Whether no other process has this id. This process itself has not made the lock.
 *
 * @param {number} pid
 */
function hasEnded(pid) {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}
