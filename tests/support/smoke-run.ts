/** Runs the smoke test in this process and gives back what became of each step. */
import { expect } from '@jest/globals';
import { runSmoke } from '../../scripts/smoke/run.ts';
import type { Count, StepResult } from '../../scripts/smoke/steps.ts';
import { ADA, BOB } from './start-server.ts';

/** The outcome of a run. */
export interface SmokeRun {
  readonly exitCode: number;
  readonly checks: Count;
  readonly steps: readonly StepResult[];
  /** The result of a step that must have run. */
  step(id: string): StepResult;
  /** The ids of the steps with this status, in order. */
  ids(status: StepResult['status']): string[];
}

/**
 * Servers under test send heartbeats each second, what takes longer than three seconds counts as silence, and a message of 64 KiB is a
 * large one: each of dozens of runs would carry 4 MiB through a proxy.
 */
export const FAST = ['--heartbeat', '1', '--timeout', '3', '--max-body', '65536'];

/** Runs the smoke test with its JSON report. Whatever happens, no token may be in what it prints. */
export async function smoke(url: string, ...args: readonly string[]): Promise<SmokeRun> {
  return smokeIn({}, url, ...args);
}

/** The same with variables of the environment. */
export async function smokeIn(
  environment: Readonly<Record<string, string>>,
  url: string,
  ...args: readonly string[]
): Promise<SmokeRun> {
  return run({ environment, onTold: () => undefined }, url, ...args);
}

/** The same with somebody who hears what it asks its operator to do. */
export async function smokeTold(
  onTold: (text: string) => void,
  url: string,
  ...args: readonly string[]
): Promise<SmokeRun> {
  return run({ environment: {}, onTold }, url, ...args);
}

/** Whom a run has around it. */
interface Around {
  readonly environment: Readonly<Record<string, string>>;
  readonly onTold: (text: string) => void;
}

/** Runs it. */
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

/** What makes a run fast, but for what these arguments set themselves: an option that is there twice is refused. */
function fastWithout(args: readonly string[]): string[] {
  return FAST.filter((_word, index) => !args.includes(FAST[index - (index % 2)] ?? ''));
}
