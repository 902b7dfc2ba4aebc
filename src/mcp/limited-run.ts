/** Runs tools that have limits of their own: how long a call may take, and how many run at once. Other tools never come here. */
import type { ToolCall } from './call-tool.ts';
import type { Tool } from './tool.ts';

/** The error of a call that has reached a limit of its tool; the message is for the model. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
  readonly outcome: 'timeout' | 'too_many_calls';

  constructor(outcome: LimitReached['outcome'], message: string) {
    super(message);
    this.outcome = outcome;
  }
}

/** A run that may be given up before it has ended. */
export interface LimitedRun {
  /** What the tool returns or throws, or a {@link LimitReached}. */
  readonly answer: Promise<unknown>;
  /** Resolves when the tool has really ended: a tool that ignores its signal goes on after its call was given up. */
  readonly ended: Promise<void>;
}

/** Whether a tool has limits of its own. */
export function hasLimits({ timeoutMs, concurrency }: Tool): boolean {
  return timeoutMs !== undefined || concurrency !== undefined;
}

/** Runs a tool within its limits. The signal that `run` gets is aborted with the request's own, and when the time is over. */
export function runWithinLimits(
  { tool, caller, origin, definition: { inFlight } }: ToolCall,
  run: (signal: AbortSignal) => unknown,
): LimitedRun {
  const { name, timeoutMs, concurrency } = tool;
  const abort = new AbortController();
  const passOn = (): void => abort.abort(origin.signal.reason);
  if (origin.signal.aborted) passOn();
  origin.signal.addEventListener('abort', passOn);
  let isRunning = false;
  let timer: NodeJS.Timeout | undefined;

  const work = async (): Promise<unknown> => {
    const { userId } = caller.user;
    const leave =
      concurrency === undefined ? undefined : await inFlight.places.enter(tool, userId, abort.signal);
    try {
      isRunning = true;
      return await run(abort.signal);
    } finally {
      leave?.();
    }
  };
  const tooLate = new Promise<never>((_resolve, reject) => {
    if (timeoutMs === undefined) return;
    // A timer of its own: AbortSignal.any over AbortSignal.timeout may never fire on Node 20 (nodejs/node 57736).
    timer = setTimeout(() => {
      const words = isRunning ? 'had not ended' : 'had not begun';
      const limit = new LimitReached(
        'timeout',
        `timeout: after ${timeoutMs / 1000} seconds the call of ${name} ${words} and was given up. Try again later, or ask for less.`,
      );
      // Before the abort, which the tool may turn into an error of its own.
      reject(limit);
      abort.abort(limit);
    }, timeoutMs);
  });
  const ending = work();
  const ended = ending.then(ignoreOutcome, ignoreOutcome);
  void ended.then(() => origin.signal.removeEventListener('abort', passOn));
  return { answer: Promise.race([ending, tooLate]).finally(() => clearTimeout(timer)), ended };
}

/** Ignores a result or an error: only the moment of the end matters. */
function ignoreOutcome(): void {}
