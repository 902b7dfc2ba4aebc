/** Checks the store of the tokens for changes: regularly, and on request. */

/** The functions that check. Neither may reject. */
export interface LooksOptions {
  /** Takes over what has changed. Called at every regular check. */
  readonly look: () => Promise<void>;
  /** Called for {@link Looks.reload}. Default: `look`. */
  readonly readAgain?: () => Promise<void>;
  /** Milliseconds between two regular checks. */
  readonly pollMs: number;
}

/** The running checks. */
export interface Looks {
  /** Reads again, after the checks under way. Calls before that share one read; a later call may know of a later version, and causes another. */
  reload(): Promise<void>;
  /** Stops the checks. Resolves when those under way have finished. */
  stop(): Promise<void>;
}

/** Starts the checks. They run one after the other: otherwise what was read first could be taken over last. */
export function startLooks({ look, readAgain = look, pollMs }: LooksOptions): Looks {
  let queue = Promise.resolve();
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    queue = queue.then(look).finally(() => (looking = false));
  }, pollMs);
  timer.unref();
  let waiting: Promise<void> | undefined;
  return {
    async reload() {
      waiting ??= queue = queue.then(() => {
        waiting = undefined;
        return readAgain();
      });
      return waiting;
    },
    async stop() {
      clearInterval(timer);
      await queue;
    },
  };
}
