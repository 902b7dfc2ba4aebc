/** Runs checks one after the other, times them, and keeps what became of each. */
import { CheckFailure } from './outcome.ts';

/** How a step ended. `skipped` does not apply here; `blocked` does, but could not be run. */
export interface StepResult {
  /** Stable: scripts may compare it. */
  readonly id: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'blocked';
  readonly durationMs: number;
  /** What was seen, or why it was not run, or what is wrong. */
  readonly detail: string;
  /** What to do, when it failed. */
  readonly advice?: string;
}

/** Hears of steps as they run. */
export interface Report {
  begin(title: string): void;
  end(result: StepResult): void;
}

/** What a check hands back when it passes. */
export interface Passed {
  readonly detail: string;
}

/** A check by name. */
export interface Step {
  readonly id: string;
  readonly title: string;
}

/** The steps of a run. */
export interface Steps {
  readonly results: readonly StepResult[];
  /** Runs a check. */
  run(step: Step, check: () => Promise<Passed>): Promise<void>;
  /** Notes that one is not run, and why. */
  pass(step: Step, status: 'skipped' | 'blocked', reason: string): void;
  /** Whether a step has been run and passed. */
  hasPassed(id: string): boolean;
}

/** Makes an empty run. */
export function createSteps(report: Report): Steps {
  const results: StepResult[] = [];
  const finish = (result: StepResult): void => {
    results.push(result);
    report.end(result);
  };
  return {
    results,
    hasPassed: (id) => results.some((result) => result.id === id && result.status === 'passed'),
    pass: ({ id, title }, status, detail) => finish({ id, title, status, detail, durationMs: 0 }),
    async run({ id, title }, check) {
      report.begin(title);
      const startedMs = performance.now();
      const outcome = await outcomeOf(check);
      finish({ id, title, ...outcome, durationMs: Math.round(performance.now() - startedMs) });
    },
  };
}

/** Runs a check and says what became of it. */
async function outcomeOf(
  check: () => Promise<Passed>,
): Promise<Pick<StepResult, 'status' | 'detail' | 'advice'>> {
  try {
    return { status: 'passed', detail: (await check()).detail };
  } catch (error) {
    if (error instanceof CheckFailure)
      return { status: 'failed', detail: error.message, advice: error.advice };
    const advice =
      'The check did not expect this: it may be its own fault. Run it again, and report it if it stays.';
    return { status: 'failed', detail: error instanceof Error ? error.message : String(error), advice };
  }
}

/** How many checks ran, of those that should have. */
export interface Count {
  readonly ran: number;
  readonly expected: number;
}

/** Counts a run; a step that neither ran nor was found not to apply is missing, whatever the reason. */
export function countChecks(plan: readonly Step[], results: readonly StepResult[]): Count {
  const statusOf = new Map(results.map(({ id, status }) => [id, status]));
  const due = plan.filter(({ id }) => statusOf.get(id) !== 'skipped');
  const ran = due.filter(({ id }) => ['passed', 'failed'].includes(statusOf.get(id) ?? ''));
  return { ran: ran.length, expected: due.length };
}
