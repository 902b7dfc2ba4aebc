/** The start of a process: when it fails, or a signal ends it, what is open by then is closed first. */
import { createSignalListener, listenToEndSignals } from './end-signals.ts';
import { describeStartFailure } from './start-messages.ts';

/** A start that is under way. */
export interface Start {
  /** Learns how that is closed which the start opens. */
  closesBy(close: () => Promise<void>): void;
  /** Leaves the signals to what runs from here on; false where one has come: the process ends, and nothing else is to begin. */
  finish(): boolean;
}

/**
 * Runs a start. One that fails ends the process with one message. A signal ends it too, which nobody waits for yet: the first process
 * of a container would never hear of it otherwise, and go on.
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
    // What fails while everything is closed fails of that.
    if (ending === undefined) process.stderr.write(`${describeStartFailure(error)}\n`);
    await (ending ??= end(1));
  }
}
