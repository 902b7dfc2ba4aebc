/** Writes the figures of docs/PERFORMANCE.md: this server beside the others, the goals of the rows, all figures, and where the time goes. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { packageFolder } from '../../../src/package.ts';
import { loadWords, placeLine } from '../machine.ts';
import { METRICS, type RowHead, type RowResult } from '../metrics.ts';
import { compare, formatSummary, metricsOf, summaryOf, valueOf } from './figures.ts';
import { type Coming, comingOf, putInto, readRun, whyNotBeside } from './kept-figures.ts';
import type { ProfileSummary } from './profile.ts';
import { type MeasuredRow, roundsOf, type Run, spellRun } from './run.ts';
import { renderPlot } from './plot.ts';
import { spellGoal } from './table.ts';

const PLOT = 'performance.svg';
const KEPT = 'performance.json';

/** The sections of the document that are written; each is between two marker lines. */
type Section = 'figures' | 'profile';

/** The folder of the document, and all rows that exist. */
export interface Place {
  readonly rows: readonly (RowHead & { readonly missing?: () => string | undefined })[];
  /** Default: `docs/`. */
  readonly folder?: string;
}

/**
 * Reads the kept figures.
 * @throws {Error} saying why the coming ones cannot be kept beside them
 */
export async function requireRoomFor(
  coming: Coming,
  { rows, folder = docsFolder() }: Place,
): Promise<Run | undefined> {
  const kept = await readRun(path.join(folder, KEPT), rows);
  const problem = whyNotBeside(kept, coming, rows);
  if (problem !== undefined) throw new Error(problem);
  return kept;
}

/** Puts the rows of a run among the kept figures, and writes from all of them the section of the document, the plot and the kept file. */
export async function updateFigures(run: Run, place: Place): Promise<void> {
  const { rows, folder = docsFolder() } = place;
  if (run.rows.length === 0) throw new Error('No row was measured: the document stays as it is.');
  const all = putInto(await requireRoomFor(comingOf(run), place), run, rows);
  await replaceSection(folder, 'figures', renderFigures(all));
  await writeFile(path.join(folder, PLOT), renderPlot(all));
  await writeFile(path.join(folder, KEPT), spellRun(all));
}

/** Writes the table of where the time goes. */
export async function updateProfile(profiles: ReadonlyMap<string, ProfileSummary>): Promise<void> {
  await replaceSection(docsFolder(), 'profile', renderGroups(profiles));
}

/** The folder of this checkout's documents. */
function docsFolder(): string {
  return path.join(packageFolder(), 'docs');
}

/** Replaces the text between the two marker lines of a section. */
async function replaceSection(folder: string, section: Section, content: string): Promise<void> {
  const file = path.join(folder, 'PERFORMANCE.md');
  const text = await readFile(file, 'utf8');
  const [beginLine, endLine] = [
    `<!-- ${section}: written by npm run bench -->`,
    `<!-- end of ${section} -->`,
  ];
  const [begin, end] = [text.indexOf(beginLine), text.indexOf(endLine)];
  if (begin === -1 || end < begin) throw new Error(`docs/PERFORMANCE.md has lost its line ${beginLine}`);
  const framed = `\n<!-- prettier-ignore-start -->\n\n${content}\n\n<!-- prettier-ignore-end -->\n`;
  await writeFile(file, text.slice(0, begin + beginLine.length) + framed + text.slice(end));
}

/** Groups of the parts in a profile. A part belongs to the first group that matches. */
const GROUPS: readonly { readonly name: string; readonly parts: RegExp }[] = [
  { name: 'Node: HTTP, streams, events, timers (its JavaScript)', parts: /^node:/ },
  { name: 'engine and system: reading, parsing, JSON, writing', parts: /^native$/ },
  { name: 'collecting garbage', parts: /^gc$/ },
  { name: 'this repository', parts: /^ours$/ },
  { name: 'zod', parts: /^zod$/ },
  { name: 'MCP SDK', parts: /^@modelcontextprotocol\// },
  { name: 'Koa and what it brings', parts: /./ },
];

/** The table of where the time goes, as Markdown, with a column for each row of the benchmark. */
function renderGroups(profiles: ReadonlyMap<string, ProfileSummary>): string {
  const shareOf = ({ byPart }: ProfileSummary, group: (typeof GROUPS)[number]): string => {
    const own = byPart.filter(([part]) => GROUPS.find(({ parts }) => parts.test(part)) === group);
    return (100 * own.reduce((sum, [, share]) => sum + share, 0)).toFixed(1);
  };
  const lines = GROUPS.map(
    (group) =>
      `| ${group.name} | ${[...profiles.values()].map((profile) => shareOf(profile, group)).join(' | ')} |`,
  );
  const names = [...profiles.keys()];
  return `| % of the CPU time | ${names.join(' | ')} |\n| --- |${names.map(() => ' --- |').join('')}\n${lines.join('\n')}`;
}

/** The section of figures, as Markdown. */
function renderFigures(run: Run): string {
  const comparisons = run.rows.flatMap(comparisonLine);
  const goals = run.rows.flatMap(goalLines);
  const all = run.rows.flatMap(figureLines);
  return `${spellOccasions(run)}

![The figures as bars](${PLOT})

| row | figure | this server | best peer | times better | floor | share of the floor |
| --- | --- | --- | --- | --- | --- | --- |
${comparisons.join('\n')}

| row | what it is to show |
| --- | --- |
${goals.join('\n')}

<details><summary>Every figure</summary>

| row | server | figures |
| --- | --- | --- |
${all.join('\n')}

</details>`;
}

/** When rows were measured, and in how many rounds: first what holds for most of them, then what differs for others. */
function spellOccasions({ machine, rows }: Run): string {
  const groups = new Map<string, Occasion>();
  for (const row of rows) {
    const { name, date, loadBefore } = row;
    const key = JSON.stringify([date, loadBefore, roundsOf(row)]);
    const names = [...(groups.get(key)?.names ?? []), name];
    groups.set(key, { names, date, loadBefore, rounds: roundsOf(row) });
  }
  const [most, ...others] = [...groups.values()].toSorted((a, b) => b.names.length - a.names.length);
  if (most === undefined) return '';
  const { date, loadBefore, rounds } = most;
  const sentences = [
    `Measured on ${date}: ${placeLine(machine)}; ${loadWords(loadBefore)}.`,
    `Median of ${roundWords(rounds)} (lowest–highest).`,
    ...(others.length > 0
      ? [`Other rows: ${others.map((other) => spellOther(other, most)).join('; ')}.`]
      : []),
  ];
  return sentences.join(' ');
}

/** Rows that were measured in the same run and in as many rounds. */
interface Occasion extends Pick<MeasuredRow, 'date' | 'loadBefore'> {
  readonly names: readonly string[];
  readonly rounds: number;
}

/** In what some rows differ from most. */
function spellOther({ names, date, loadBefore, rounds }: Occasion, most: Occasion): string {
  const isOfAnotherRun = date !== most.date || loadBefore !== most.loadBefore;
  const parts = [
    names.map((name) => `\`${name}\``).join(', '),
    ...(isOfAnotherRun ? [`on ${date}`, loadWords(loadBefore)] : []),
    ...(rounds === most.rounds ? [] : [roundWords(rounds)]),
  ];
  return parts.join(', ');
}

/** A number of rounds, in words. */
function roundWords(rounds: number): string {
  return `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
}

/** The line that compares this server with the others in a row; none when it was not measured against any. */
function comparisonLine(row: RowResult): string[] {
  const comparison = compare(row);
  if (comparison === undefined) return [];
  const { ours, bestPeer, floor } = comparison;
  const cells = [
    row.title,
    METRICS[row.metric].label,
    formatSummary(row.metric, ours),
    bestPeer ? `${formatSummary(row.metric, bestPeer.summary)} ${bestPeer.server}` : '–',
    bestPeer?.factor.toFixed(2) ?? '–',
    floor ? formatSummary(row.metric, floor.summary) : '–',
    floor?.factor.toFixed(2) ?? '–',
  ];
  return [`| ${cells.join(' | ')} |`];
}

/** The lines about the goals of a row, as far as it was measured. */
function goalLines(row: RowResult): string[] {
  return (row.goals ?? []).flatMap((goal) => {
    const value = valueOf(row, goal);
    return value === undefined ? [] : [`| ${row.name} | ${spellGoal(row, goal, value)} |`];
  });
}

/** The lines of all servers of a row. */
function figureLines(row: RowResult): string[] {
  const metrics = metricsOf(row);
  return row.series.map((series) => {
    const figures = metrics.flatMap((metric) => {
      const summary = summaryOf(series, metric);
      return summary === undefined ? [] : [`${METRICS[metric].label} ${formatSummary(metric, summary)}`];
    });
    return `| ${row.name} | ${series.server} | ${figures.join('; ')} |`;
  });
}
