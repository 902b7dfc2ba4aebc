/** A lock file that lets one process of a checkout install or build at a time, and never outlives its maker for long. */

// Its syntax is Node 14's, as that of prepare.mjs, which says why.
import fs from 'node:fs';
import os from 'node:os';
import { codeOf } from './files.mjs';

/** How often a lock is looked at by those who wait for it. Milliseconds. */
const LOOK_MS = 50;

/**
 * Waits until no other process holds the lock; returns the function that lets the next one in.
 *
 * @param {string} file
 * @param {object} options
 * @param {() => void} options.onWait called once, when the lock is another one's
 * @param {number} [options.touchMs] how often the maker touches the file
 * @param {number} [options.abandonedMs] a file that has not been touched for so long has been left behind
 * @returns {Promise<() => void>}
 */
export async function lock(file, { onWait, touchMs = 1_000, abandonedMs = 10_000 }) {
  /** What was seen of another one's lock, and since when it has been like that. */
  let seen = '';
  let sinceMs = 0;
  let isTold = false;
  for (;;) {
    const unlock = take(file, touchMs);
    if (unlock !== undefined) return unlock;
    const found = look(file);
    // Measured here, since the clocks of two machines that share a folder may differ, and a clock can be set back.
    if (found.state !== seen) {
      seen = found.state;
      sinceMs = performance.now();
    }
    if (found.isGone || performance.now() - sinceMs > abandonedMs) {
      // Somebody else may have taken it over just now.
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
 * Makes the file and keeps touching it; undefined when it is there already.
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
    // A full disk has room for a name, not for what it holds.
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
 * Shows that the maker is still there.
 *
 * @param {string} file
 */
function touch(file) {
  try {
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {
    // Somebody deleted it; what is under way ends all the same.
  }
}

/**
 * What there is to see of a lock, and whether its maker is known to have ended.
 *
 * @param {string} file
 */
function look(file) {
  // A link that leads nowhere is in the way as well.
  const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  const text = textOf(file);
  const [, pid, host] = /^(\d+) (.+)\n$/.exec(text) ?? [];
  // Another machine's, or container's, process ids say nothing here.
  const isGone = pid !== undefined && host === os.hostname() && hasEnded(Number(pid));
  return { state: stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeNs} ${text}`, isGone };
}

/**
 * What a lock says; nothing when it cannot be read.
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
 * Whether no process has this id, or only this very one, which has made no lock.
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
