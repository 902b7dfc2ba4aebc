/** Runs checks one after the other, times them, and keeps their results. */
import { CheckFailure } from './outcome.ts';

/** The result of a step. `skipped`: it does not apply here; `blocked`: it applies, but could not run. */
export interface StepResult {
  /** Stable, since scripts may compare it. */
  readonly id: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'blocked';
  readonly durationMs: number;
  /** What was seen, why it did not run, or what is wrong. */
  readonly detail: string;
  /** What to do about a failure. */
  readonly advice?: string;
}

/** Is told of steps as they run. */
export interface Report {
  begin(title: string): void;
  end(result: StepResult): void;
}

/** The result of a check that passes; one that fails throws. */
export interface Passed {
  readonly detail: string;
}

/** A check, by id and title. */
export interface Step {
  readonly id: string;
  readonly title: string;
}

/** The steps of a run. */
export interface Steps {
  readonly results: readonly StepResult[];
  /** Runs a check. */
  run(step: Step, check: () => Promise<Passed>): Promise<void>;
  /** Records that a step does not run, and why. */
  pass(step: Step, status: 'skipped' | 'blocked', reason: string): void;
  /** Whether a step has run and passed. */
  hasPassed(id: string): boolean;
}

/** Starts a run without results. */
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

/** Runs a check, and returns its result. */
async function outcomeOf(
  check: () => Promise<Passed>,
): Promise<Pick<StepResult, 'status' | 'detail' | 'advice'>> {
  try {
    return { status: 'passed', detail: (await check()).detail };
  } catch (error) {
    if (error instanceof CheckFailure)
      return { status: 'failed', detail: error.message, advice: error.advice };
    const advice =
      'The check did not expect this, and may itself be wrong. Run it again, and report it if this happens again.';
    return { status: 'failed', detail: error instanceof Error ? error.message : String(error), advice };
  }
}

/** How many checks ran, and how many should have. */
export interface Count {
  readonly ran: number;
  readonly expected: number;
}

/** Counts the checks of a run. A step that was not skipped should have run; if it did not, it is missing, whatever the reason. */
export function countChecks(plan: readonly Step[], results: readonly StepResult[]): Count {
  const statusOf = new Map(results.map(({ id, status }) => [id, status]));
  const due = plan.filter(({ id }) => statusOf.get(id) !== 'skipped');
  const ran = due.filter(({ id }) => ['passed', 'failed'].includes(statusOf.get(id) ?? ''));
  return { ran: ran.length, expected: due.length };
}
