/** Runs the smoke test in this process, and returns the result of each step. */
import { expect } from '@jest/globals';
import { runSmoke } from '../../scripts/smoke/run.ts';
import type { Count, StepResult } from '../../scripts/smoke/steps.ts';
import { ADA, BOB } from './start-server.ts';

/** The result of a run. */
export interface SmokeRun {
  readonly exitCode: number;
  readonly checks: Count;
  readonly steps: readonly StepResult[];
  /** The result of a step; throws when it has not run. */
  step(id: string): StepResult;
  /** The ids of the steps with this status, in order. */
  ids(status: StepResult['status']): string[];
}

/**
 * Options for fast runs: servers under test send heartbeats each second, more than three seconds count as silence, and the largest
 * message is 64 KiB: otherwise each of dozens of runs would carry 4 MiB through a proxy.
 */
export const FAST = ['--heartbeat', '1', '--timeout', '3', '--max-body', '65536'];

/** Runs the smoke test with its JSON report. Fails the test if the output holds a token. */
export async function smoke(url: string, ...args: readonly string[]): Promise<SmokeRun> {
  return smokeIn({}, url, ...args);
}

/** Runs it with variables of the environment. */
export async function smokeIn(
  environment: Readonly<Record<string, string>>,
  url: string,
  ...args: readonly string[]
): Promise<SmokeRun> {
  return run({ environment, onTold: () => undefined }, url, ...args);
}

/** Runs it with a listener for what it asks of its operator. */
export async function smokeTold(
  onTold: (text: string) => void,
  url: string,
  ...args: readonly string[]
): Promise<SmokeRun> {
  return run({ environment: {}, onTold }, url, ...args);
}

/** The surroundings of a run. */
interface Around {
  readonly environment: Readonly<Record<string, string>>;
  readonly onTold: (text: string) => void;
}

/** Runs the smoke test and parses its report. */
async function run(
  { environment, onTold }: Around,
  url: string,
  ...args: readonly string[]
): Promise<SmokeRun> {
  let printed = '';
  const output = { write: (text: string) => void (printed += text), isTerminal: false };
  const told = { write: onTold, isTerminal: false };
  const surroundings = { environment, stdout: output, stderr: told };
  const exitCode = await runSmoke([url, ...fastWithout(args), ...args, '--json'], surroundings);

  for (const token of [ADA, BOB]) expect(printed).not.toContain(token);
  const { steps, checks } = JSON.parse(printed) as { steps: StepResult[]; checks: Count };
  return {
    exitCode,
    checks,
    steps,
    step(id) {
      const found = steps.find((one) => one.id === id);
      if (found === undefined) throw new Error(`The step ${id} was not run: ${printed}`);
      return found;
    },
    ids: (status) => steps.filter((one) => one.status === status).map(({ id }) => id),
  };
}

/** The options for fast runs, except those that the arguments set themselves: an option must not be given twice. */
function fastWithout(args: readonly string[]): string[] {
  return FAST.filter((_word, index) => !args.includes(FAST[index - (index % 2)] ?? ''));
}
