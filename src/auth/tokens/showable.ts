/** Refuses to write users and names that a log, a terminal or a page could not show. */
import { TokenFileError } from './token-file-error.ts';
import type { TokenEntry } from './token-set.ts';

/**
 * Control and formatting characters (such as directional marks), line separators, and lone surrogates. UTF-8 has no bytes for a lone surrogate, so
 * that a database would take two users for one.
 */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Checks the users and names that an edit writes. One that the file has already is allowed: the file keeps loading, and its tokens can be rotated.
 * @throws {TokenFileError} naming the field of "the entry"
 */
export function requireShowable(entries: readonly TokenEntry[], wanted: readonly object[]): void {
  const known = new Map<string, ReadonlySet<string>>();
  for (const fields of wanted) {
    const texts = new Map<string, unknown>(Object.entries(fields));
    for (const name of ['userId', 'name'] as const) {
      const text = texts.get(name);
      if (typeof text !== 'string' || !UNSHOWABLE.test(text)) continue;
      if (!known.has(name)) known.set(name, new Set(entries.map(({ user }) => user[name])));
      if (known.get(name)?.has(text) === true) continue;
      throw new TokenFileError(
        `the entry field "${name}" must not hold control characters, line breaks or the like`,
      );
    }
  }
}
