/** When the place that tokens are kept in is looked at: every so often, and for whoever asks. */

/** What is done. Neither rejects. */
export interface LooksOptions {
  /** Takes over what has changed; done every so often. */
  readonly look: () => Promise<void>;
  /** What is done for whoever asks. Default: a look. */
  readonly readAgain?: () => Promise<void>;
  /** Milliseconds between two looks. */
  readonly pollMs: number;
}

/** Looks that go on. */
export interface Looks {
  /** Reads once for everybody who asks before that begins; who asks later may know of a later version. */
  reload(): Promise<void>;
  /** Ends them; what is under way comes to its end. */
  stop(): Promise<void>;
}

/** Begins with the looks: one after the other, or what was read first could be taken over last. */
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
