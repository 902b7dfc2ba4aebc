/** Runs the official conformance suite as a process, and reads its results. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { PlannedScenario, PlannedSet } from './plan.ts';

/** The result of one scenario. */
export interface ScenarioResult {
  readonly set: string;
  readonly scenario: string;
  readonly revision: string;
  /** Whether it counts. The suite also runs scenarios that a revision does not require. */
  readonly scored: boolean;
  readonly passed: boolean;
  readonly checks: number;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

/** The options of every run of the suite. */
export interface SuiteOptions {
  /** The path of a Node that the suite accepts. */
  readonly node: string;
  /** The MCP endpoint under test. */
  readonly url: string;
  readonly resultsDirectory: string;
  readonly signal: AbortSignal;
  /** Called with each result as soon as it is known. */
  readonly onResult: (result: ScenarioResult) => void;
  /** Called with each line that the suite prints. */
  readonly onLine: (line: string) => void;
}

const CHECKS = z.array(
  z.looseObject({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
);
type Check = z.output<typeof CHECKS>[number];

const LAST_LINES = 20;

/** Runs one set of the plan. Reports each result at once, and returns all at the end. */
export async function runSet(
  set: Exclude<PlannedSet, { run: unknown }>,
  options: SuiteOptions,
): Promise<ScenarioResult[]> {
  return 'requirements' in set
    ? runRequirements(set, options)
    : runScenarios(set.name, set.scenarios, options);
}

/** Runs the requirements of a revision in one process, as the suite has frozen them. */
async function runRequirements(
  { name, requirements, scored }: Extract<PlannedSet, { requirements: string }>,
  options: SuiteOptions,
): Promise<ScenarioResult[]> {
  const required = await listRequired(requirements, options);
  if (required.size !== scored) {
    throw new Error(
      `The suite requires ${required.size} scenarios for ${requirements}; the plan says ${scored}.`,
    );
  }
  const results: ScenarioResult[] = [];
  await runServerCommand(['--requirements', requirements], options, (scenario, checks) => {
    const result = judge(
      { set: name, scenario, revision: requirements, scored: required.has(scenario) },
      checks,
    );
    results.push(result);
    options.onResult(result);
  });
  // A scenario that the suite did not run has not passed.
  const seen = new Set(results.map(({ scenario }) => scenario));
  for (const scenario of required) {
    if (seen.has(scenario)) continue;
    const result = judge({ set: name, scenario, revision: requirements, scored: true }, []);
    results.push(result);
    options.onResult(result);
  }
  return results;
}

/** Runs scenarios by name, each in a process of its own. */
async function runScenarios(
  set: string,
  scenarios: readonly PlannedScenario[],
  options: SuiteOptions,
): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const { scenario, revision, fixtureChecks = [], successes = [] } of scenarios) {
    let found: readonly Check[] = [];
    await runServerCommand(['--scenario', scenario, '--spec-version', revision], options, (_name, checks) => {
      found = checks;
    });
    const applicable = found.filter(({ id }) => !fixtureChecks.includes(id));
    const result = judge({ set, scenario, revision, scored: true }, [
      ...applicable,
      ...missingSuccesses(applicable, successes),
    ]);
    results.push(result);
    options.onResult(result);
  }
  return results;
}

/** Makes a failure for each check that must have succeeded and has not. */
function missingSuccesses(checks: readonly Check[], successes: readonly string[]): Check[] {
  return successes
    .filter((wanted) => !checks.some(({ id, status }) => id === wanted && status === 'SUCCESS'))
    .map((id) => ({ id, status: 'FAILURE', errorMessage: 'has not succeeded' }));
}

/** Judges a scenario by its checks. A scenario without a check has shown nothing, so it has not passed. */
export function judge(
  face: Pick<ScenarioResult, 'set' | 'scenario' | 'revision' | 'scored'>,
  checks: readonly Check[],
): ScenarioResult {
  const failures = messagesOf(checks, 'FAILURE');
  const isEmpty = !checks.some(
    ({ status }) => status === 'SUCCESS' || status === 'WARNING' || status === 'FAILURE',
  );
  return {
    ...face,
    passed: failures.length === 0 && !isEmpty,
    checks: checks.length,
    failures: isEmpty ? ['the scenario made no check'] : failures,
    warnings: messagesOf(checks, 'WARNING'),
  };
}

/** The messages of the checks with one status. */
function messagesOf(checks: readonly Check[], wanted: string): string[] {
  return checks
    .filter(({ status }) => status === wanted)
    .map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'no message'}`);
}

/** The scenarios that a revision requires of a server, as the suite lists them. */
async function listRequired(revision: string, options: SuiteOptions): Promise<Set<string>> {
  const required = new Set<string>();
  let inServerList = false;
  await runSuite(['list', '--server', '--requirements', revision], options, (line) => {
    if (line.startsWith('Server scenarios')) inServerList = true;
    else if (line.trim() === '') inServerList = false;
    const scenario = /^\s+- (\S+)/.exec(line)?.[1];
    if (inServerList && scenario !== undefined) required.add(scenario);
  });
  return required;
}

/** Runs scenarios against the server. `onChecks` is called with the checks of each scenario, in the order in which they end. */
async function runServerCommand(
  args: readonly string[],
  options: SuiteOptions,
  onChecks: (scenario: string, checks: readonly Check[]) => void,
): Promise<void> {
  let hasResults = false;
  let reading = Promise.resolve();
  const command = ['server', '--url', options.url, '--output-dir', options.resultsDirectory, ...args];
  const said = await runSuite(command, options, (line) => {
    const directory = /^Results saved to (.+)$/.exec(line)?.[1];
    if (directory === undefined) return;
    hasResults = true;
    reading = reading.then(async () => onChecks(scenarioOf(directory), await readChecks(directory)));
    // Awaited below; without this a failure in between would end the process.
    reading.catch(() => undefined);
  });
  await reading;
  if (!hasResults) throw new Error(`The suite ran nothing for ${args.join(' ')}:\n${said}`);
}

/** The scenario of a results directory, such as `server-ping-2026-01-01T00-00-00-000Z`. */
function scenarioOf(directory: string): string {
  const scenario = /server-([^/\\]+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(directory)?.[1];
  if (scenario === undefined)
    throw new Error(`The suite wrote its results to an unexpected place: ${directory}`);
  return scenario;
}

/** Reads the checks of a scenario from its results directory. */
export async function readChecks(directory: string): Promise<readonly Check[]> {
  return CHECKS.parse(JSON.parse(await readFile(`${directory}/checks.json`, 'utf8')));
}

/** Runs the suite's command line to its end; returns the last lines of its output. Its exit code only repeats what the checks say. */
export async function runSuite(
  args: readonly string[],
  { node, signal, onLine }: SuiteOptions,
  onOutputLine: (line: string) => void,
): Promise<string> {
  const cli = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
  const child = spawn(node, [cli, ...args], { signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let lastLines: string[] = [];
  const hear = (line: string): void => {
    lastLines = [...lastLines.slice(1 - LAST_LINES), line];
    onLine(line);
  };
  createInterface({ input: child.stderr }).on('line', hear);
  createInterface({ input: child.stdout }).on('line', (line) => {
    hear(line);
    onOutputLine(line);
  });
  await ended;
  return lastLines.join('\n');
}
