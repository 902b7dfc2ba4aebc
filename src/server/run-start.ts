/** The start of a process: when it fails, or a signal ends it, what is open by then is closed first. */
import { createSignalListener, listenToEndSignals } from './end-signals.ts';
import { describeStartFailure } from './start-messages.ts';

/** A start that is under way. */
export interface Start {
  /** Sets the function that closes what the start has opened. */
  closesBy(close: () => Promise<void>): void;
  /** Ends the start, which stops handling signals. False if a signal has come: the process ends, and nothing else may begin. */
  finish(): boolean;
}

/**
 * Runs a start. A start that fails ends the process, with one message. A signal ends it as well: the first process of a container ignores
 * signals that it does not handle, and would go on.
 */
export async function runStart(run: (start: Start) => Promise<void>): Promise<void> {
  let close: (() => Promise<void>) | undefined;
  let ending: Promise<never> | undefined;
  const end = async (code: number): Promise<never> => {
    await close?.();
    process.exit(code);
  };
  const letGo = listenToEndSignals(createSignalListener(async () => (ending ??= end(0))));
  try {
    await run({
      closesBy: (how) => void (close = how),
      finish() {
        if (ending === undefined) letGo();
        return ending === undefined;
      },
    });
  } catch (error) {
    // An error while everything is being closed comes of that.
    if (ending === undefined) process.stderr.write(`${describeStartFailure(error)}\n`);
    await (ending ??= end(1));
  }
}
