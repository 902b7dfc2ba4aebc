/** What docs/PERFORMANCE.md shows: this server beside the others, what each row is to show, every figure below it, and where the time goes. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { METRICS, type RowResult } from '../metrics.ts';
import { compare, formatSummary, metricsOf, summaryOf, valueOf } from './figures.ts';
import type { ProfileSummary } from './profile.ts';
import type { Run } from './run.ts';
import { renderPlot } from './plot.ts';
import { spellGoal } from './table.ts';
import { machineLine } from '../machine.ts';

const DOCS = fileURLToPath(new URL('../../../../docs', import.meta.url));
const PLOT = 'performance.svg';

/** What stands between two lines of the document. */
type Section = 'figures' | 'profile';

/** Replaces the figures in the document, and the plot beside it. */
export async function updateFigures(run: Run): Promise<void> {
  await replaceSection('figures', renderFigures(run));
  await writeFile(path.join(DOCS, PLOT), renderPlot(run));
}

/** Replaces the table of where the time goes. */
export async function updateProfile(profiles: ReadonlyMap<string, ProfileSummary>): Promise<void> {
  await replaceSection('profile', renderGroups(profiles));
}

/** Puts a text between the two lines of a section. */
async function replaceSection(section: Section, content: string): Promise<void> {
  const file = path.join(DOCS, 'PERFORMANCE.md');
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

/** The parts of a profile by what they belong to; the first that fits counts. */
const GROUPS: readonly { readonly name: string; readonly parts: RegExp }[] = [
  { name: 'Node: HTTP, streams, events, timers (its JavaScript)', parts: /^node:/ },
  { name: 'engine and system: reading, parsing, JSON, writing', parts: /^native$/ },
  { name: 'collecting garbage', parts: /^gc$/ },
  { name: 'this repository', parts: /^ours$/ },
  { name: 'zod', parts: /^zod$/ },
  { name: 'MCP SDK', parts: /^@modelcontextprotocol\// },
  { name: 'Koa and what it brings', parts: /./ },
];

/** Where the time goes, as Markdown: a column for each row of the benchmark. */
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

/** The figures as Markdown. */
function renderFigures(run: Run): string {
  const comparisons = run.rows.flatMap(comparisonLine);
  const goals = run.rows.flatMap(goalLines);
  const all = run.rows.flatMap(figureLines);
  return `Measured on ${run.date}: ${machineLine(run.machine)}. Median of ${run.settings.rounds} rounds (lowest–highest).

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

/** A row's comparison; nothing where this server stands alone. */
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

/** What a row is to show, as far as it was measured. */
function goalLines(row: RowResult): string[] {
  return (row.goals ?? []).flatMap((goal) => {
    const value = valueOf(row, goal);
    return value === undefined ? [] : [`| ${row.name} | ${spellGoal(row, goal, value)} |`];
  });
}

/** Every server of a row. */
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
