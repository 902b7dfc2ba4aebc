/** Formats the figures for a terminal: a table for each row, as soon as it is measured. */
import { type Goal, METRICS, type RowResult } from '../metrics.ts';
import {
  compare,
  format,
  formatSummary,
  metricsOf,
  type Ranges,
  rangesOf,
  summaryOf,
  valueOf,
} from './figures.ts';

/** Formats the table of a row, with the comparison below it. */
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
  return `\n${row.name}: ${row.title}\n${table}${verdict(row)}${goals(row)}\n`;
}

/** Compares this server with the best peer and the floor, in one line. */
function verdict(row: RowResult): string {
  const { bestPeer, floor } = compare(row) ?? {};
  const parts = [
    bestPeer && `${bestPeer.factor.toFixed(2)}x the best peer (${bestPeer.server})`,
    floor && `${floor.factor.toFixed(2)}x the floor`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `  = ${parts.join(', ')}\n`;
}

/** The goals of a row, one a line. */
function goals(row: RowResult): string {
  const lines = (row.goals ?? []).map((goal) => {
    const value = valueOf(row, goal);
    return value === undefined ? '' : `  = ${spellGoal(row, goal, value)}\n`;
  });
  return lines.join('');
}

/** A goal in words, and whether it has been reached. */
export function spellGoal(row: RowResult, goal: Goal, value: number): string {
  const { metric } = row;
  const { of, to, above, times = 1, atMost = Infinity, atLeast = -Infinity, isApart = false } = goal;
  const subject = `${times === 1 ? of : `${times} x ${of}`}${above === undefined ? '' : ` above ${above}`}`;
  const found =
    to === undefined ? `${format(metric, value)} ${METRICS[metric].label}` : `${value.toFixed(2)}x ${to}`;
  const wanted = Number.isFinite(atMost) ? `at most ${atMost}` : `at least ${atLeast}`;
  const ranges = isApart ? rangesOf(row, goal) : undefined;
  const isMissed = value > atMost || value < atLeast || ranges?.areApart === false;
  return [
    `${subject}: ${found}`,
    ...(ranges ? [spellRanges(ranges)] : []),
    `wanted ${wanted}${ranges ? ' and apart' : ''}${isMissed ? ': MISSED' : ''}`,
  ].join(', ');
}

/** Whether two ranges overlap, and from how many rounds and calls they are. */
function spellRanges({ areApart, rounds, calls }: Ranges): string {
  const each = calls === undefined ? '' : ` of ${format('calls', calls)} calls`;
  return `ranges ${areApart ? 'apart' : 'overlap'} (${rounds} ${rounds === 1 ? 'round' : 'rounds'}${each})`;
}

/** Aligns columns: the first to the left, figures to the right. */
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
