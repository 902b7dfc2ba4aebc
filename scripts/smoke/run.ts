/** Runs the smoke test from its command line to its exit code. */
import { writeFile } from 'node:fs/promises';
import { describeSystemError } from '../../src/auth/tokens/system-error.ts';
import { toJunit } from './junit.ts';
import { parseOptions, type SmokeOptions, UsageError } from './options.ts';
import { USAGE } from '../smoke.usage.mjs';
import { PLAN, runPlan } from './plan.ts';
import { createJsonReport, createLineReport, createRedactor, type Output } from './report.ts';
import { type Count, countChecks, createSteps, type StepResult } from './steps.ts';

/** The environment and the output of the process that runs the smoke test. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Runs the smoke test; returns its exit code: 0 all passed, 1 a check failed or could not run, 2 unreachable, 3 bad usage. */
export async function runSmoke(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { environment, stdout, stderr } = surroundings;
  let options: SmokeOptions | undefined;
  try {
    options = parseOptions(args, environment);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`smoke: ${error.message}\n\n${USAGE}\n`);
    return 3;
  }
  if (options === undefined) {
    stdout.write(`${USAGE}\n`);
    return 0;
  }
  const redact = createRedactor([options.token, options.token2]);
  const report = (options.json ? createJsonReport : createLineReport)(stdout, redact);
  const steps = createSteps(report);
  const { isReachable } = await runPlan(options, steps, (text) => stderr.write(`${text}\n`));
  const checks = countChecks(PLAN, steps.results);
  const exitCode = isReachable ? judge(steps.results, checks) : 2;
  const url = options.url.href.replace(/\/$/, '');
  const summary = { url, exitCode, results: steps.results, checks };
  report.finish(summary);
  if (options.junit !== undefined && !(await writeReport(options.junit, toJunit(summary, redact), stderr)))
    return Math.max(exitCode, 1);
  return exitCode;
}

/** The exit code of a run that reached the server. A check that should have run and did not is no success either. */
export function judge(results: readonly StepResult[], { ran, expected }: Count): number {
  return ran < expected || results.some(({ status }) => status === 'failed') ? 1 : 0;
}

/** Writes the file. Returns whether it could be written; if not, prints why. */
async function writeReport(file: string, text: string, stderr: Output): Promise<boolean> {
  try {
    await writeFile(file, text);
    return true;
  } catch (error) {
    stderr.write(
      `smoke: the file of --junit cannot be written: ${describeSystemError(error) ?? 'no reason is known'}\n`,
    );
    return false;
  }
}
