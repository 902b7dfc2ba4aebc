/** The figures for a terminal: a table for each row, as soon as it has been measured. */
import { METRICS, type RowResult } from '../metrics.ts';
import { compare, formatSummary, metricsOf, summaryOf } from './figures.ts';

/** A row's table, with the comparison below it. */
export function renderRow(row: RowResult): string {
  const metrics = metricsOf(row);
  const lines = row.series.map((series) => [
    series.server,
    ...metrics.map((metric) => {
      const summary = summaryOf(series, metric);
      return summary === undefined ? '–' : formatSummary(metric, summary);
    }),
  ]);
  const table = align([['', ...metrics.map((metric) => METRICS[metric].label)], ...lines]);
  return `\n${row.name}: ${row.title}\n${table}${verdict(row)}\n`;
}

/** This server against the best peer and the floor, in one line. */
function verdict(row: RowResult): string {
  const { bestPeer, floor } = compare(row) ?? {};
  const parts = [
    bestPeer && `${bestPeer.factor.toFixed(2)}x the best peer (${bestPeer.server})`,
    floor && `${floor.factor.toFixed(2)}x the floor`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `  = ${parts.join(', ')}\n`;
}

/** Columns of equal width: the first to the left, figures to the right. */
function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('   ')
        .trimEnd(),
    )
    .map((line) => `  ${line}\n`)
    .join('');
}
