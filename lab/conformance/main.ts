/**
 * `npm run conformance`: the official conformance suite against this server with authentication on.
 *
 * The server is run as it is, and as the fixture server of `lab/conformance/server`, which has the tools that the suite calls by
 * name. The suite cannot send a credential, so a proxy in front of each server adds it: a token of the file, or one from a sign-in.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { misuse } from '../../scripts/token/command-error.ts';
import { parseOptions } from '../../scripts/token/options.ts';
import { helped, understood } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { startHeaderProxy } from './header-proxy.ts';
import { PLAN, type PlannedSet, type ServerName } from './plan.ts';
import { printResult, printTable } from './report.ts';
import { startServerProcess } from './server-process.ts';
import { runSet, type ScenarioResult } from './suite.ts';
import { findModernNode } from '../../scripts/modern-node.ts';

/** The compiled programs of the two servers. */
const SCRIPTS: Readonly<Record<ServerName, URL>> = {
  plain: new URL('../../src/main.js', import.meta.url),
  fixture: new URL('./server/server.js', import.meta.url),
};

/** What the runs of all sets share. */
interface Run {
  readonly node: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly verbose: boolean;
}

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const command = understood(parseCommandLine);
  if (command === undefined) return 2;
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  // The reader of standard output, such as `head`, may have gone.
  process.stdout.on('error', () => interrupt.abort());
  const directory = await mkdtemp(path.join(os.tmpdir(), 'mcp-conformance-'));
  try {
    const node = await findModernNode();
    return await runPlan(command.sets, {
      node,
      directory,
      signal: interrupt.signal,
      verbose: command.verbose,
    });
  } catch (error) {
    if (interrupt.signal.aborted) {
      console.error('conformance: interrupted');
      return 130;
    }
    console.error(`conformance: ${describe(error)}`);
    return 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Parses the command line.
 * @throws {CommandError} saying what is wrong
 */
function parseCommandLine(): { sets: readonly PlannedSet[]; verbose: boolean } {
  const { texts, switches } = parseOptions(process.argv.slice(2), {
    subject: 'conformance',
    help: USAGE,
    texts: ['only'],
    switches: ['verbose'],
    most: 0,
  });
  const { only } = texts;
  const sets = PLAN.filter(({ name }) => only === undefined || name === only);
  if (sets.length > 0) return { sets, verbose: switches.has('verbose') };
  throw misuse(`--only takes one of: ${PLAN.map(({ name }) => name).join(', ')}.`, USAGE);
}

/** Runs the sets one after the other, each against a fresh server; returns the exit code. */
async function runPlan(sets: readonly PlannedSet[], run: Run): Promise<number> {
  const results: ScenarioResult[] = [];
  const troubles: string[] = [];
  for (const set of sets) {
    console.log(`\n${set.name}: against the ${set.server} server`);
    results.push(...(await withServer(set, run, troubles)));
  }
  return printTable(results, troubles) ? 0 : 1;
}

/** Runs one set with a server and a proxy of its own, and stops both afterwards. */
async function withServer(set: PlannedSet, run: Run, troubles: string[]): Promise<ScenarioResult[]> {
  const { node, signal, verbose } = run;
  const directory = path.join(run.directory, set.name);
  const { settings, exchange } = set;
  const script = fileURLToPath(SCRIPTS[set.server]);
  const server = await startServerProcess({ script, directory, signal, settings });
  try {
    const proxy = await startHeaderProxy(server.url);
    try {
      const options = {
        node,
        url: `${proxy.url}/mcp`,
        resultsDirectory: path.join(directory, 'results'),
        signal,
        onResult: printResult,
        onLine: (line: string) => verbose && console.log(`    ${line}`),
      };
      if ('run' in set) return await set.run(options, server.token);
      proxy.add(exchange ? await exchange(proxy.url, server.token) : server.token);
      return await runSet(set, options);
    } finally {
      await proxy.close();
    }
  } finally {
    const trouble = await server.stop();
    if (trouble !== undefined && !signal.aborted) troubles.push(`the ${set.server} server ${trouble}`);
    if (verbose || trouble !== undefined) process.stderr.write(server.output());
  }
}

/** The message of an error, with those of its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}
