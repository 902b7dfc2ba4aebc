/** The end of a process: the signals that ask for it, what it makes of the second, and how what is open is closed. */
import type { Logger } from 'pino';

/** A Ctrl-C reaches the process twice, from the terminal and from npm: within this time it counts once. */
const SAME_SIGNAL_MS = 100;

/** Hears signals that ask for an end: the first begins it, and one that comes later ends the process at once. */
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
 * Closes one after the other. What fails is logged, and keeps neither the others from being closed nor the process from its end: nobody
 * would end it but a second signal. False where something has failed, or says so itself.
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

/** Has a listener hear the signals that ask for an end; what is returned puts an end to that. */
export function listenToEndSignals(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of END_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, listener);
  };
}

const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
