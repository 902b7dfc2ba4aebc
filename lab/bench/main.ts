/** `npm run bench`: what a call, a session and a start cost, for this server, for the floor and for its peers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { helped, understood } from '../help.ts';
import { type Command, parseCommandLine } from './command-line.ts';
import { USAGE } from './main.usage.mjs';
import { chooseCores, type Cores } from './cores.ts';
import { startGenerator } from './generator.ts';
import type { Lab } from './lab.ts';
import { describeMachine, machineLine } from './machine.ts';
import type { RowResult } from './metrics.ts';
import { installPeers } from './install-peers.ts';
import { updateFigures, updateProfile } from './report/document.ts';
import { type ProfileSummary, readProfile, renderProfile } from './report/profile.ts';
import { renderPlot } from './report/plot.ts';
import type { Run } from './report/run.ts';
import { renderRow } from './report/table.ts';
import { ROWS } from './rows.ts';
import { FLOOR, OURS, OURS_SILENT, PEERS } from './targets.ts';

process.exitCode = await main();

/** Runs what the command line asks for; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const help = `${USAGE}\nRows: ${ROWS.map(({ name }) => name).join(', ')}`;
  const command = understood(() => parseCommandLine(process.argv.slice(2), help));
  if (command === undefined) return 2;
  if (process.platform !== 'linux') {
    process.stderr.write('bench: needs Linux: CPU time and memory of the servers are read from /proc.\n');
    return 2;
  }
  // An exit, unlike a signal's end, lets every server be killed: each of a row has a listener for it, which are more than Node expects.
  process.setMaxListeners(0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  const directory = await mkdtemp(path.join(os.tmpdir(), 'mcp-bench-'));
  try {
    await runCommand(command, directory);
    return 0;
  } catch (error) {
    process.stderr.write(`\nbench: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Measures the rows and writes the reports. */
async function runCommand(command: Command, directory: string): Promise<void> {
  const { settings, withPeers, jsonFile, svgFile, updateDocs } = command;
  if (withPeers) installPeers(say);
  const cores = chooseCores();
  const machine = describeMachine(cores);
  process.stdout.write(`${machineLine(machine)}\n`);

  const profiles = new Map<string, ProfileSummary>();
  const rows = await measureRows(command, { cores, directory, profiles });

  const run: Run = { date: new Date().toISOString().slice(0, 10), machine, settings, rows };
  if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(run, null, 2)}\n`);
  if (svgFile !== undefined) await writeFile(svgFile, renderPlot(run));
  // What is profiled is slower: such a run says where the time goes, and not how much there is.
  if (updateDocs) await (profiles.size > 0 ? updateProfile(profiles) : updateFigures(run));
}

/** Where a run is made, and where its profiles go. */
interface Bench {
  readonly cores: Cores;
  readonly directory: string;
  readonly profiles: Map<string, ProfileSummary>;
}

/** Measures row after row; each one's table is printed when it is done. */
async function measureRows(
  { rows, settings, withPeers, verbose, profileDirectory }: Command,
  { cores, directory, profiles }: Bench,
): Promise<RowResult[]> {
  const generator = startGenerator(cores.generator);
  const targets = [OURS, ...(settings.rounds > 1 ? [OURS_SILENT] : []), FLOOR, ...(withPeers ? PEERS : [])];
  const results: RowResult[] = [];
  try {
    for (const [index, row] of rows.entries()) {
      const missing = row.missing?.();
      if (missing !== undefined) {
        process.stdout.write(`\n${row.name}: skipped, ${missing}\n`);
        continue;
      }
      const progress = (text: string): void => say(`[${index + 1}/${rows.length}] ${row.name}: ${text}`);
      const profileFile = profileDirectory && path.resolve(profileDirectory, `${row.name}.cpuprofile`);
      const lab: Lab = { settings, targets, cores, generator, directory, verbose, profileFile, progress };
      const series = await row.measure(lab);
      const { name, title, metric, goals } = row;
      const result = { name, title, metric, series, ...(goals && { goals }) };
      results.push(result);
      process.stdout.write(renderRow(result));
      if (profileFile === undefined) continue;
      const profile = await readProfile(profileFile);
      profiles.set(row.name, profile);
      process.stdout.write(renderProfile(profile));
    }
  } finally {
    generator.close();
  }
  return results;
}

/** Tells what is being done, on stderr. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
