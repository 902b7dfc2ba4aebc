/** `revoke`: tokens that open nothing any more. */
import { readEntries, removeEntries } from './token-edit.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { describeEntry, entriesOfUser, findEntry, printable } from './entries.ts';

/** Removes one token by its id, or all of a user's. */
export async function revoke({ line, now, print, store, warn }: CommandContext): Promise<void> {
  const { id } = line;
  const { user } = line.values;
  if ((id === undefined) === (user === undefined))
    throw new CommandError(EXIT.usage, 'revoke needs either the id of a token or --user.');
  const { revoked, left } = await store.edit(
    (text) => {
      const entries = readEntries(text);
      const found = id === undefined ? entriesOfUser(entries, user?.trim() ?? '') : [findEntry(entries, id)];
      const next = removeEntries(text, new Set(found.map(({ digest }) => digest)));
      return { text: next, result: { revoked: found, left: entries.length - found.length } };
    },
    { create: false },
  );
  const facts = revoked.map((entry) => describeEntry(entry, now()));
  if (line.json) print(JSON.stringify({ revoked: facts, left }, null, 2));
  else print(facts.map((fact) => `Revoked ${fact.id} of ${printable(fact.userId)}.`).join('\n'));
  if (left === 0)
    warn(`${store.name} holds no token any more: nobody gets in, and a server does not start with it.`);
}
