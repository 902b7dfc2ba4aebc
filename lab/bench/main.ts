/** `npm run bench`: measures what a call, a session and a start cost for this server, for the floor and for its peers. */
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
import { installPeers } from './install-peers.ts';
import { requireRoomFor, updateFigures, updateProfile } from './report/document.ts';
import { readRun } from './report/kept-figures.ts';
import { type ProfileSummary, readProfile, renderProfile } from './report/profile.ts';
import { renderPlot } from './report/plot.ts';
import { headOf, type MeasuredRow, type Run, spellRun } from './report/run.ts';
import { renderRow } from './report/table.ts';
import { ROWS } from './rows.ts';
import { FLOOR, OURS, OURS_SILENT, PEERS } from './targets.ts';

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const help = `${USAGE}\nRows: ${ROWS.map(({ name }) => name).join(', ')}`;
  const command = understood(() => parseCommandLine(process.argv.slice(2), help));
  if (command === undefined) return 2;
  if (process.platform !== 'linux' && command.figuresFile === undefined) {
    process.stderr.write('bench: needs Linux: CPU time and memory of the servers are read from /proc.\n');
    return 2;
  }
  // On exit, unlike at the end by a signal, every server is killed. Each has an exit listener: more than Node expects, so there is no limit.
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

/** Measures the rows, or reads them, and writes the reports. */
async function runCommand(command: Command, directory: string): Promise<void> {
  const { figuresFile, jsonFile, svgFile, profileDirectory, updateDocs } = command;
  const profiles = new Map<string, ProfileSummary>();
  const run =
    figuresFile === undefined
      ? await measure(command, { directory, profiles })
      : await readFigures(figuresFile, command);
  if (jsonFile !== undefined) await writeFile(jsonFile, spellRun(run));
  if (svgFile !== undefined) await writeFile(svgFile, renderPlot(run));
  // A profiled run is slower, so it updates only the part of the document about where the time goes.
  if (updateDocs && profileDirectory === undefined) await updateFigures(run, { rows: ROWS });
  if (updateDocs && profiles.size > 0) await updateProfile(profiles);
}

/** Reads figures from a file, and prints their tables. */
async function readFigures(file: string, { rows }: Command): Promise<Run> {
  const run = await readRun(file, rows);
  if (run === undefined) throw new Error(`There is no ${file}.`);
  process.stdout.write(`${machineLine(run.machine)}\n${run.rows.map(renderRow).join('')}`);
  return run;
}

/** Measures the rows. */
async function measure(
  command: Command,
  { directory, profiles }: Pick<Bench, 'directory' | 'profiles'>,
): Promise<Run> {
  const { settings, withPeers, profileDirectory, updateDocs } = command;
  const cores = chooseCores();
  const machine = describeMachine(cores);
  const coming = command.rows.map(({ name }) => ({ name, hasPeers: withPeers }));
  // Checked before an hour is spent on measuring.
  if (updateDocs && profileDirectory === undefined)
    await requireRoomFor({ machine, rows: coming }, { rows: ROWS });
  if (withPeers) installPeers(say);
  process.stdout.write(`${machineLine(machine)}\n`);

  const date = new Date().toISOString().slice(0, 10);
  const occasion = { date, loadBefore: machine.loadBefore };
  const rows = await measureRows(command, { cores, directory, profiles, occasion });
  return { date, machine, settings, rows };
}

/** The circumstances of a run, and its profiles. */
interface Bench {
  readonly cores: Cores;
  readonly directory: string;
  readonly profiles: Map<string, ProfileSummary>;
  readonly occasion: Pick<MeasuredRow, 'date' | 'loadBefore'>;
}

/** Measures the rows one by one, and prints the table of each when it is done. */
async function measureRows(
  { rows, settings, withPeers, verbose, profileDirectory }: Command,
  { cores, directory, profiles, occasion }: Bench,
): Promise<MeasuredRow[]> {
  const generator = startGenerator(cores.generator);
  const targets = [OURS, ...(settings.rounds > 1 ? [OURS_SILENT] : []), FLOOR, ...(withPeers ? PEERS : [])];
  const results: MeasuredRow[] = [];
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
      const result = { ...headOf(row), ...occasion, series };
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

/** Prints a line on stderr about what is being done. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
