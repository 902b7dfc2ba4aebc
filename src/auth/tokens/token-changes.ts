/** Compares two versions of the tokens: for the log, and for the users whose rights have changed. */
import { isDeepStrictEqual } from 'node:util';
import type { Steps } from '../../in-slices.ts';
import { tokenIdOf } from '../digest.ts';
import type { TokenEntry, TokenSet } from './token-set.ts';
import type { RightsChange } from '../verifier.ts';

/** The differences, by token id. */
export interface TokenChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The entries of the removed tokens. */
  readonly removedEntries: readonly TokenEntry[];
  readonly changed: readonly string[];
  /** The users, before and after, of tokens that are in both versions with different scopes. */
  readonly rights: readonly RightsChange[];
}

/** Compares two versions, entry by entry. */
export function* compareTokensInSteps(before: TokenSet, after: TokenSet): Steps<TokenChanges> {
  const added: string[] = [];
  const removed: string[] = [];
  const removedEntries: TokenEntry[] = [];
  const changed: string[] = [];
  const rights: RightsChange[] = [];
  for (const [digest, entry] of before.entries) {
    yield;
    if (after.entries.has(digest)) continue;
    removed.push(tokenIdOf(digest));
    removedEntries.push(entry);
  }
  for (const [digest, entry] of after.entries) {
    yield;
    const old = before.entries.get(digest);
    if (old === undefined) added.push(tokenIdOf(digest));
    if (old === undefined || isDeepStrictEqual(old, entry)) continue;
    changed.push(tokenIdOf(digest));
    // No list of scopes is not the same as an empty one.
    if (!isDeepStrictEqual(old.user.scopes, entry.user.scopes))
      rights.push({ before: old.user, after: entry.user });
  }
  return { added, removed, removedEntries, changed, rights };
}
