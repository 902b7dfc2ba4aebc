/** Runs checks one after the other, times them, and keeps what became of each. */
import { CheckFailure, NotApplicable, Unreachable } from './outcome.ts';

/** How a step ended. */
export interface StepResult {
  /** Stable: scripts may compare it. */
  readonly id: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** What was seen, or why it was skipped, or what is wrong. */
  readonly detail: string;
  /** What to do, when it failed. */
  readonly advice?: string;
}

/** Hears of steps as they run. */
export interface Report {
  begin(title: string): void;
  end(result: StepResult): void;
}

/** What a check hands back when it passes; more than the detail is for the checks after it. */
export interface Passed {
  readonly detail: string;
}

/** The steps of a run. */
export interface Steps {
  readonly results: readonly StepResult[];
  /** Whether no answer came, so that nothing else can be checked. */
  readonly isUnreachable: () => boolean;
  /** Runs a check; undefined unless it passed. */
  run<T extends Passed>(id: string, title: string, check: () => Promise<T>): Promise<T | undefined>;
}

/** Makes an empty run. */
export function createSteps(report: Report): Steps {
  const results: StepResult[] = [];
  let isUnreachable = false;
  return {
    results,
    isUnreachable: () => isUnreachable,
    async run(id, title, check) {
      report.begin(title);
      const startedMs = performance.now();
      const finish = (outcome: Pick<StepResult, 'status' | 'detail' | 'advice'>): void => {
        const result = { id, title, ...outcome, durationMs: Math.round(performance.now() - startedMs) };
        results.push(result);
        report.end(result);
      };
      try {
        const passed = await check();
        finish({ status: 'passed', detail: passed.detail });
        return passed;
      } catch (error) {
        // Once something has answered, a connection that fails is a failed check.
        if (error instanceof Unreachable && results.length === 0) isUnreachable = true;
        finish(outcomeOf(error));
        return undefined;
      }
    },
  };
}

/** What an error says of the check that threw it. */
function outcomeOf(error: unknown): Pick<StepResult, 'status' | 'detail' | 'advice'> {
  if (error instanceof NotApplicable) return { status: 'skipped', detail: error.message };
  if (error instanceof CheckFailure) return { status: 'failed', detail: error.message, advice: error.advice };
  const advice =
    'The check did not expect this: it may be its own fault. Run it again, and report it if it stays.';
  return { status: 'failed', detail: error instanceof Error ? error.message : String(error), advice };
}
