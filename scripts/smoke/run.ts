/** The smoke test from its command line to its exit code. */
import { parseOptions, type SmokeOptions, USAGE, UsageError } from './options.ts';
import { runPlan } from './plan.ts';
import { createJsonReport, createLineReport, createRedactor, type Output } from './report.ts';
import { createSteps } from './steps.ts';

/** Where the smoke test was started. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Runs the smoke test; returns its exit code: 0 all passed, 1 a check failed, 2 unreachable, 3 bad usage. */
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
  await runPlan(options, steps);
  const hasFailed = steps.results.some(({ status }) => status === 'failed');
  const exitCode = steps.isUnreachable() ? 2 : hasFailed ? 1 : 0;
  report.finish({ url: options.url.origin, exitCode, results: steps.results });
  return exitCode;
}
