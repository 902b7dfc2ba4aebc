/** Formats tables for a terminal. */
import { printable } from '../../src/printable.ts';

/** Aligns columns, each as wide as its widest cell. */
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

/** The width of a column. A reduce, not `Math.max` of all cells: a hundred thousand of them would be too many arguments. */
function widestOf(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0);
}
