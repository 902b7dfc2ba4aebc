/** Loads what only some requests need, once the start is over and before anything can be in the way. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** So long the first requests have the process to themselves. Milliseconds. */
const AFTER_START_MS = 500;

/**
 * Loads it piece by piece. With the first request that needs it would be too late: with all descriptors in use, or the packages
 * replaced on the disk, it cannot be loaded, and Node never tries a module again that it could not load once.
 */
export async function loadAhead(loads: readonly (() => Promise<unknown>)[], log: Logger): Promise<void> {
  for (const load of loads) {
    await delay(AFTER_START_MS, undefined, { ref: false });
    try {
      await load();
    } catch (error) {
      log.error({ err: error }, 'a part cannot be loaded: mend what is wrong and restart');
    }
  }
  log.debug('loaded ahead');
}
