/** Runs the doctor from its command line to its exit code. */
import { USAGE } from '../doctor.usage.mjs';
import { isHelpWanted } from '../help.mjs';
import { createJsonReport, createLineReport, createRedactor } from '../smoke/report.ts';
import type { Surroundings } from '../smoke/run.ts';
import { countChecks, createSteps } from '../smoke/steps.ts';
import { CommandError, misuse } from '../token/command-error.ts';
import { parseOptions } from '../token/options.ts';
import { WALK, type Walk } from './walk.ts';

/** Runs the doctor; returns its exit code: 0 the client gets in, 1 the way breaks, 3 bad usage. */
export async function runDoctor(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { environment, stdout, stderr } = surroundings;
  if (isHelpWanted(args)) {
    stdout.write(`${USAGE}\n`);
    return 0;
  }
  let line: ReturnType<typeof readLine>;
  try {
    line = readLine(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    stderr.write(`doctor: ${error.message}\n`);
    return 3;
  }
  const secrets: string[] = [];
  const report = (line.json ? createJsonReport : createLineReport)(stdout, (text) =>
    createRedactor(secrets)(text),
  );
  const steps = createSteps(report);
  const walk: Walk = {
    ...line,
    environment,
    token: environment['SMOKE_TOKEN'] === '' ? undefined : environment['SMOKE_TOKEN'],
    way: undefined,
    client: undefined,
    hide: (secret) => void (secret.length > SHORTEST_SECRET && secrets.push(secret)),
  };
  walk.hide(walk.token ?? '');
  try {
    let broken: string | undefined;
    for (const step of WALK) {
      const reason = step.unless?.(walk.way);
      if (broken !== undefined) steps.pass(step, 'blocked', `it needs "${broken}"`);
      else if (typeof reason === 'string') steps.pass(step, 'skipped', reason);
      else {
        await steps.run(step, () => step.check(walk));
        if (!steps.hasPassed(step.id)) broken = step.title;
      }
    }
  } finally {
    await walk.client?.close();
  }
  const exitCode = steps.results.some(({ status }) => status === 'failed') ? 1 : 0;
  report.finish({
    url: line.file,
    exitCode,
    results: steps.results,
    checks: countChecks(WALK, steps.results),
  });
  return exitCode;
}

/** Values up to this length are not hidden: `true` and the like are words that the report itself may need. */
const SHORTEST_SECRET = 8;

/** Parses the command line. */
function readLine(args: readonly string[]) {
  const { texts, switches, positionals } = parseOptions(args, {
    subject: 'The doctor',
    help: USAGE,
    texts: ['entry', 'timeout'],
    switches: ['json'],
  });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw misuse('Give one file.', USAGE);
  // An address may hold a token, and the error for a missing file would show it.
  if (/^https?:/i.test(file))
    throw misuse('The doctor takes a file; "npm run smoke" looks at an address.', USAGE);
  const timeoutMs = Number(texts['timeout'] ?? '10') * 1000;
  if (!(timeoutMs > 0 && timeoutMs <= 600_000))
    throw new CommandError(2, '--timeout takes seconds from above 0 to 600.');
  return { file, entry: texts['entry'], timeoutMs, json: switches.has('json') };
}
