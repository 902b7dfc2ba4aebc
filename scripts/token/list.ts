/** `list`: every token, without its value. */
import type { Command } from './command.ts';
import { describeEntry, type EntryFacts } from '../../src/auth/tokens/entry-facts.ts';
import { readLastUse } from './last-use.ts';
import { printableJson } from '../../src/printable.ts';
import { formatScopes } from './scopes.ts';
import { formatTable } from './table.ts';

/** Prints a table, or for scripts a list of objects. */
export const list: Command = {
  async run({ line, now, print, store, warn }) {
    const { entries } = await store.read();
    const nowMs = now();
    const { log } = line.values;
    const lastUse = log === undefined ? undefined : await readLastUse([log]);
    const facts: ListedFacts[] = entries.map((entry) => {
      const fact = describeEntry(entry, nowMs);
      return lastUse === undefined ? fact : { ...fact, lastUse: lastUse.get(fact.id) ?? null };
    });
    if (line.json) {
      print(printableJson(facts));
      return;
    }
    print(facts.length === 0 ? `${store.name} holds no token.` : formatFacts(facts));
    const plain = facts.filter((_, index) => entries[index]?.isPlain === true).map(({ id }) => id);
    if (plain.length > 0)
      warn(
        `The file holds these tokens themselves instead of their digests: ${plain.join(', ')}. rotate replaces one.`,
      );
  },
};

/** An entry, and the day of its last use where there is a log to look into: `null` where that has none. */
type ListedFacts = EntryFacts & { readonly lastUse?: string | null };

/** The table; the columns of notes and of the last use are there when somebody wrote one and when they are known. */
function formatFacts(facts: readonly ListedFacts[]): string {
  const hasNotes = facts.some(({ note }) => note !== null);
  const hasUses = facts.some(({ lastUse }) => lastUse !== undefined);
  const head = ['ID', 'USER', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'STATE', 'LAST USE', 'NOTE'];
  const rows = facts.map((fact) => [
    fact.id,
    fact.userId,
    fact.name,
    formatScopes(fact.scopes),
    fact.created ?? '-',
    fact.expiresAt ?? 'never',
    fact.state,
    fact.lastUse ?? '-',
    fact.note ?? '-',
  ]);
  const isShown = (_: string, column: number): boolean =>
    column < head.length - 2 || (column === head.length - 2 ? hasUses : hasNotes);
  return formatTable(
    head.filter(isShown),
    rows.map((row) => row.filter(isShown)),
  );
}
