/** The figures for docs/PERFORMANCE.md: a table of the goals' rows, and every figure below it. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { METRICS, type RowResult } from '../metrics.ts';
import { compare, formatSummary, metricsOf, summaryOf } from './figures.ts';
import type { Run } from './run.ts';
import { renderPlot } from './plot.ts';
import { machineLine } from '../machine.ts';

const DOCS = fileURLToPath(new URL('../../../../docs', import.meta.url));
const PLOT = 'performance.svg';
const BEGIN = '<!-- figures: written by npm run bench -- --update-docs -->';
const END = '<!-- end of figures -->';

/** Replaces the figures in the document, and the plot beside it. */
export async function updateDocument(run: Run): Promise<void> {
  const file = path.join(DOCS, 'PERFORMANCE.md');
  const text = await readFile(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`docs/PERFORMANCE.md has lost its line ${BEGIN}`);
  await writeFile(file, text.slice(0, begin + BEGIN.length) + renderFigures(run) + text.slice(end));
  await writeFile(path.join(DOCS, PLOT), renderPlot(run));
}

/** The figures as Markdown. */
function renderFigures(run: Run): string {
  const goals = run.rows.flatMap(comparisonLine);
  const all = run.rows.flatMap(figureLines);
  return `
<!-- prettier-ignore-start -->

Measured on ${run.date}: ${machineLine(run.machine)}. Median of ${run.settings.rounds} rounds (lowest–highest).

![The figures as bars](${PLOT})

| row | figure | this server | best peer | times better | floor | share of the floor |
| --- | --- | --- | --- | --- | --- | --- |
${goals.join('\n')}

<details><summary>Every figure</summary>

| row | server | figures |
| --- | --- | --- |
${all.join('\n')}

</details>

<!-- prettier-ignore-end -->
`;
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
