/** `list`: shows every token, without its value. */
import type { Command } from './command.ts';
import { describeEntry, type EntryFacts } from '../../src/auth/tokens/entry-facts.ts';
import { printableJson } from '../../src/printable.ts';
import { formatScopes } from './scopes.ts';
import { formatTable } from './table.ts';
import { readTokenUses, type TokenUse } from './token-uses.ts';

/** Prints a table, or an array of objects with `--json`. */
export const list: Command = {
  async run({ keptUses, line, now, print, store, warn }) {
    const { entries } = await store.read();
    const nowMs = now();
    const { log } = line.values;
    const uses = log === undefined ? await keptUses?.() : await readTokenUses([log]);
    const unused = log === undefined ? { lastUse: null } : UNUSED;
    const facts: ListedFacts[] = entries.map((entry) => {
      const fact = describeEntry(entry, nowMs);
      return uses === undefined ? fact : { ...fact, ...(uses.get(fact.id) ?? unused) };
    });
    if (line.json) {
      print(printableJson(facts));
      return;
    }
    print(facts.length === 0 ? `${store.name} holds no token.` : formatFacts(facts));
    const plain = facts.filter((_, index) => entries[index]?.isPlain === true).map(({ id }) => id);
    if (plain.length > 0)
      warn(
        `The file holds these tokens themselves instead of their digests: ${plain.join(', ')}. "npm run token -- rotate ID" replaces one.`,
      );
  },
};

/** The use of a token that the log does not name. The database keeps no sign-ins, so its default has only `lastUse`. */
const UNUSED = { lastUse: null, signedInThrough: [] } as const;

/** The facts of an entry, with its use if that is known. */
type ListedFacts = EntryFacts & Partial<TokenUse | typeof UNUSED>;

/** Formats the table. Each of the last columns is shown only when a row has a value for it. */
function formatFacts(facts: readonly ListedFacts[]): string {
  const head = ['ID', 'USER', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'STATE'];
  const more = ['LAST USE', 'SIGNED IN THROUGH', 'NOTE'];
  const hasMore = [
    facts.some(({ lastUse }) => lastUse !== undefined),
    facts.some(({ signedInThrough = [] }) => signedInThrough.length > 0),
    facts.some(({ note }) => note !== null),
  ];
  const rows = facts.map((fact) => [
    fact.id,
    fact.userId,
    fact.name,
    formatScopes(fact.scopes),
    fact.created ?? '-',
    fact.expiresAt ?? 'never',
    fact.state,
    fact.lastUse ?? '-',
    fact.signedInThrough?.[0] === undefined ? '-' : fact.signedInThrough.join(', '),
    fact.note ?? '-',
  ]);
  const isShown = (_: string, column: number): boolean =>
    column < head.length || hasMore[column - head.length] === true;
  return formatTable(
    [...head, ...more].filter(isShown),
    rows.map((row) => row.filter(isShown)),
  );
}
