/** `list`: every token, without its value. */
import { readEntries } from './token-edit.ts';
import type { CommandContext } from './context.ts';
import { describeEntry, type EntryFacts, printable } from './entries.ts';

/** Prints a table, or for scripts a list of objects. */
export async function list({ line, now, print, store, warn }: CommandContext): Promise<void> {
  const entries = readEntries(await store.read());
  const facts = entries.map((entry) => describeEntry(entry, now()));
  if (line.json) {
    print(JSON.stringify(facts, null, 2));
    return;
  }
  print(facts.length === 0 ? `${store.name} holds no token.` : formatTable(facts));
  const plain = facts.filter((_, index) => entries[index]?.isPlain).map(({ id }) => id);
  if (plain.length > 0)
    warn(
      `The file holds these tokens themselves instead of their digests: ${plain.join(', ')}. rotate replaces one.`,
    );
}

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
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The scopes in words. */
export function formatScopes(scopes: EntryFacts['scopes']): string {
  if (scopes === null) return 'all';
  return scopes.length === 0 ? 'none' : scopes.join(',');
}
