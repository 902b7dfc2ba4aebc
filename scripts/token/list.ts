/** `list`: every token, without its value. */
import type { Command } from './command.ts';
import { describeEntry, type EntryFacts } from './entries.ts';
import { printable, printableJson } from '../../src/printable.ts';
import { formatScopes } from './scopes.ts';

/** Prints a table, or for scripts a list of objects. */
export const list: Command = {
  async run({ line, now, print, store, warn }) {
    const { entries } = await store.read();
    const nowMs = now();
    const facts = entries.map((entry) => describeEntry(entry, nowMs));
    if (line.json) {
      print(printableJson(facts));
      return;
    }
    print(facts.length === 0 ? `${store.name} holds no token.` : formatTable(facts));
    const plain = facts.filter((_, index) => entries[index]?.isPlain === true).map(({ id }) => id);
    if (plain.length > 0)
      warn(
        `The file holds these tokens themselves instead of their digests: ${plain.join(', ')}. rotate replaces one.`,
      );
  },
};

/** The table; the column of notes is there when somebody wrote one. */
function formatTable(facts: readonly EntryFacts[]): string {
  const hasNotes = facts.some(({ note }) => note !== null);
  const head = ['ID', 'USER', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'STATE', 'NOTE'];
  const rows = facts.map((fact) => [
    fact.id,
    fact.userId,
    fact.name,
    formatScopes(fact.scopes),
    fact.created ?? '-',
    fact.expiresAt ?? 'never',
    fact.state,
    fact.note ?? '-',
  ]);
  const cells = [head, ...rows].map((row) => (hasNotes ? row : row.slice(0, -1)).map(printable));
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
