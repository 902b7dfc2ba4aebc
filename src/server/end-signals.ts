/** The end of a process: the signals that ask for it, what a second one does, and how everything that is open is closed. */
import type { Logger } from 'pino';

/** A Ctrl-C reaches the process twice, from the terminal and from npm: within this time it counts once. */
const SAME_SIGNAL_MS = 100;

/** Makes a listener of signals: the first one calls `end`, and one that comes later ends the process at once. */
export function createSignalListener(
  end: (signal: NodeJS.Signals) => Promise<unknown>,
): (signal: NodeJS.Signals) => void {
  let askedAtMs: number | undefined;
  return (signal) => {
    if (askedAtMs !== undefined && performance.now() - askedAtMs < SAME_SIGNAL_MS) return;
    if (askedAtMs !== undefined) process.exit(1);
    askedAtMs = performance.now();
    void end(signal);
  };
}

/**
 * Closes one thing after the other. A failure is logged, and keeps neither the others from being closed nor the process from its end: only
 * a second signal would end it otherwise. Returns false if one has failed, or has returned false.
 */
export async function closeAll(closes: readonly (() => unknown)[], log: Logger): Promise<boolean> {
  let finished = true;
  for (const close of closes)
    try {
      if ((await close()) === false) finished = false;
    } catch (error) {
      log.error({ err: error }, 'something did not close');
      finished = false;
    }
  return finished;
}

/** Adds a listener of the signals that ask for an end; the returned function removes it. */
export function listenToEndSignals(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of END_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, listener);
  };
}

const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
