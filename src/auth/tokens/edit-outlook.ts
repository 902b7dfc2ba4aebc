/** Whether running servers take an edit of the tokens over: in words, for whoever has made it. */
import type { Stats } from 'node:fs';
import type { TokenEdits, TokenText } from './token-edit.ts';
import { idsOfWeak } from './weak-tokens.ts';

/** Whether a running server can read the file after an edit, judged by its owner, group and mode before and after. */
export function describeOutlook(
  name: string,
  old: Stats | undefined,
  now: Stats,
): { readonly warnings: readonly string[]; readonly outlook: string } {
  const warnings: string[] = [];
  const isSame = old === undefined || (['uid', 'gid', 'mode'] as const).every((key) => old[key] === now[key]);
  if (!isSame)
    warnings.push(
      `${name} does not have the owner, group and mode that it had: check that the server can read it.`,
    );
  if (old !== undefined && old.nlink > 1)
    warnings.push(
      `${name} had ${old.nlink} names (hard links); a server that reads it by another name does not see the change.`,
    );
  if ((now.mode & 0o007) !== 0 && process.platform !== 'win32')
    warnings.push(`${name} can be read by every user of this machine: chmod o= ${name}`);
  const kept = old === undefined || !isSame ? '' : ', whose owner, group and mode are as before,';
  // Servers in containers and services seldom run as root.
  const hint =
    old === undefined && process.getuid?.() === 0
      ? ` ${name} belongs to root, and nobody else can read it. If the server runs as another user, run: chown USER ${name}`
      : '';
  return {
    warnings,
    outlook: `A running server that reads ${name}${kept} applies this change within two seconds.${hint}`,
  };
}

/** Warns of weak tokens that an edit leaves: because of them a server that others can reach does not take the change over. */
export function warningsOfWeak(
  name: string,
  { entries }: TokenText,
  { remove, change }: TokenEdits,
): string[] {
  const left = entries.flatMap((entry) => {
    if (remove?.has(entry.digest) === true) return [];
    const edit = change?.get(entry.digest);
    return edit !== undefined && 'disabled' in edit
      ? [{ ...entry, disabled: edit.disabled === true }]
      : entry;
  });
  const ids = idsOfWeak(left);
  return ids.length === 0
    ? []
    : [
        `${name} contains tokens that are short or stand in the documentation. A server that others can reach does not apply the change until you ` +
          `remove them with "npm run token -- revoke ID": ${ids.slice(0, 20).join(', ')}.`,
      ];
}
