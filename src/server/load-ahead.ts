/** Loads the modules that only some requests need, after the start and before anything can prevent it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** The pause before each load, in which the first requests have the process to themselves. Milliseconds. */
const AFTER_START_MS = 500;

/**
 * Loads one part after the other; a failure is logged. The first request that needs a part would be too late: with all file descriptors in
 * use, or the packages replaced on the disk, it cannot be loaded, and Node.js never tries a module again that it could not load once.
 */
export async function loadAhead(loads: readonly (() => Promise<unknown>)[], log: Logger): Promise<void> {
  for (const load of loads) {
    await delay(AFTER_START_MS, undefined, { ref: false });
    try {
      await load();
    } catch (error) {
      log.error(
        { err: error },
        'a part of the server cannot be loaded: correct what the error names, and restart',
      );
    }
  }
  log.debug('loaded ahead');
}
