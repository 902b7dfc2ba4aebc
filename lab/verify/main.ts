/** `npm run verify -- URL`: checks a running server with other people's programs. A check that does not run counts as failed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findModernNode } from '../../scripts/modern-node.ts';
import { startHeaderProxy } from '../conformance/header-proxy.ts';
import { PLAN } from '../conformance/plan.ts';
import { runSet } from '../conformance/suite.ts';
import { helped, understood } from '../help.ts';
import { readServerLine } from '../server-line.ts';
import { USAGE } from './main.usage.mjs';
import { type Check, planChecks, type Subject } from './programs.ts';

/** How long a program may take; the first time, that includes its installation. Milliseconds. */
const TIMEOUT_MS = 240_000;

const LAST_CHARS = 800;

/** The result of a check. */
interface Outcome {
  readonly program: string;
  readonly title: string;
  /** Why it did not pass; undefined when it did. */
  readonly problem: string | undefined;
}

/** The suite's scenarios for any server, without that of Host and Origin: it needs a server whose name is the one that the suite uses. */
const SCENARIOS = PLAN.flatMap((set) =>
  'scenarios' in set && set.name === 'plain' ? set.scenarios : [],
).filter(({ scenario }) => scenario !== 'dns-rebinding-protection');

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const line = understood(() => readServerLine('verify', USAGE));
  if (line === undefined) return 2;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mcp-verify-'));
  try {
    const subject: Subject = { ...line, folder, node: await findModernNode() };
    const isWanted = (program: string): boolean => line.only === undefined || line.only === program;
    const checks = (await planChecks(subject)).filter(({ program }) => isWanted(program));
    const outcomes: Outcome[] = [];
    for (const check of checks) outcomes.push(show(await runCheck(check, subject), subject));
    const scenarios = isWanted('conformance') ? SCENARIOS.length : 0;
    if (scenarios > 0) outcomes.push(...(await runConformance(subject)));
    const expected = checks.length + scenarios;
    const passed = outcomes.filter(({ problem }) => problem === undefined).length;
    console.log(`\n${passed === expected ? 'OK' : 'FAILED'}: ${passed} of ${expected} checks passed`);
    return expected > 0 && passed === expected ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the program of a check. */
async function runCheck(
  { program, title, command: [name, ...args], shows, env }: Check,
  { folder }: Subject,
): Promise<Outcome> {
  const child = spawn(name, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let output = '';
  let said = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  try {
    await once(child, 'close');
    const { exitCode: code } = child;
    const isGood = code === 0 && shows.test(output);
    const last = `${output}\n${said}`.trim().slice(-LAST_CHARS);
    return { program, title, problem: isGood ? undefined : `exit code ${code}:\n${last}` };
  } catch (error) {
    return {
      program,
      title,
      problem: `did not run: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Runs the official suite. It cannot send a credential, so a proxy adds it. */
async function runConformance(subject: Subject): Promise<readonly Outcome[]> {
  const { url, token } = subject;
  const proxy = await startHeaderProxy(new URL(url), {
    ...(token !== undefined && { token }),
    byItsName: true,
  });
  const outcomes: Outcome[] = [];
  try {
    await runSet(
      { name: 'plain', server: 'plain', scenarios: SCENARIOS },
      {
        node: subject.node,
        url: `${proxy.url}/mcp`,
        resultsDirectory: subject.folder,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        onResult: ({ scenario, revision, passed, failures }) =>
          void outcomes.push(
            show(
              {
                program: 'conformance',
                title: `${scenario}, ${revision}`,
                problem: passed ? undefined : failures.join('; '),
              },
              subject,
            ),
          ),
        onLine: () => undefined,
      },
    );
  } catch (error) {
    console.log(
      `✗ conformance: did not run to its end: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    await proxy.close();
  }
  return outcomes;
}

/** Prints the result of a check, without the token. */
function show(outcome: Outcome, { token }: Subject): Outcome {
  const { program, title, problem } = outcome;
  const words =
    problem === undefined
      ? ''
      : `\n    ${token === undefined ? problem : problem.replaceAll(token, '<token>')}`;
  console.log(`${problem === undefined ? '✓' : '✗'} ${program}: ${title}${words}`);
  return outcome;
}
