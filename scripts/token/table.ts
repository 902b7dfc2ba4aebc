/** Tables on a terminal. */
import { printable } from '../../src/printable.ts';

/** Columns as wide as what is in them. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => widestOf(cells, column));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** How wide a column is; not by spreading its cells, which may be a hundred thousand, into arguments. */
function widestOf(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0);
}
