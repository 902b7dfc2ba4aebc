/** Edits the text of a token file, entry by entry: what an edit does not concern keeps its bytes, its order and its form. */
import { runAtOnce, type Steps } from '../../in-slices.ts';
import { changeValue, type Piece, quoteKey, requireEntry, splice, toLine } from './entry-text.ts';
import { type LocatedEntry, locateTokensInSteps } from './parse-tokens.ts';
import { requireShowable } from './showable.ts';
import { TokenFileError } from './token-file-error.ts';
import type { TokenEntry } from './token-set.ts';

/** The text of a token file with its parsed entries, so that an edit of a hundred thousand entries need not parse them again. */
export interface TokenText {
  readonly text: string;
  readonly entries: readonly TokenEntry[];
  readonly located: readonly LocatedEntry[];
}

/** The fields of a new entry. */
export interface EntryFields {
  readonly userId: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly notBefore?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly signInsSince?: string | undefined;
  readonly limit?: number | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Changes to the fields of an entry; undefined removes a field. */
export type EntryChange = Readonly<
  Partial<
    Record<'name' | 'expiresAt' | 'signInsSince' | 'limit' | 'disabled' | 'scopes' | 'metadata', unknown> & {
      /** Merged into the entry's metadata instead of replacing it. */
      readonly metadata: Readonly<Record<string, string | undefined>>;
    }
  >
>;

/** All changes of one edit. A digest is in at most one of the three. */
export interface TokenEdits {
  readonly remove?: ReadonlySet<string>;
  readonly change?: ReadonlyMap<string, EntryChange>;
  readonly add?: readonly { readonly digest: string; readonly fields: EntryFields }[];
}

/** The plan of an edit: its changes, and a result for the caller. */
export interface TokenPlan<Result> {
  readonly edits: TokenEdits;
  readonly result: Result;
}

/** Reads and changes the tokens, wherever they are kept. */
export interface TokenEditor {
  read(): Promise<TokenText>;
  /**
   * Makes all changes of a plan or none: a plan that throws changes nothing. If the changes were written but are not in force, `problem` says in
   * sentences why, and what helps.
   */
  edit<Result>(
    plan: (file: TokenText) => TokenPlan<Result>,
  ): Promise<{ readonly result: Result; readonly problem?: string | undefined }>;
}

/** The text of a token file without entries. */
export const EMPTY_TOKEN_FILE = '{}\n';

/**
 * Reads a token file's text.
 * @throws {TokenFileError} naming the place of every fault
 */
export function readTokenText(text: string): TokenText {
  return runAtOnce(readTokenTextInSteps(text));
}

/** As {@link readTokenText}, but yields after each entry. */
export function* readTokenTextInSteps(text: string): Steps<TokenText> {
  const located = yield* locateTokensInSteps(text);
  return { text, located, entries: located.map(({ entry }) => entry) };
}

/**
 * Applies an edit, and returns the new text.
 * @throws {TokenFileError} saying what is wrong with "the entry" that the edit adds or changes
 */
export function editTokens(file: TokenText, edits: TokenEdits): string {
  return runAtOnce(editTokensInSteps(file, edits));
}

/** As {@link editTokens}, but yields after each entry that is added or changed. */
export function* editTokensInSteps(file: TokenText, edits: TokenEdits): Steps<string> {
  const { removed, changed, added } = yield* editEntriesInSteps(file, edits);
  const properties = [...added].map(([digest, value]) => `${quoteKey(digest)}: ${value}`);
  const pieces = [
    ...(removed.size === 0 ? [] : removals(file, removed)),
    ...(changed.size === 0 ? [] : replacements(file, changed)),
    ...(properties.length === 0 ? [] : [addition(file, properties)]),
  ];
  const leavesNone = removed.size > 0 && file.entries.every(({ digest }) => removed.has(digest));
  if (!leavesNone) return splice(file.text, pieces);
  const content = properties.length === 0 ? '{}' : `{\n  ${properties.join(',\n  ')}\n}`;
  return splice(file.text, [{ ...rootOf(file.text), content }]);
}

/** The entries that an edit concerns. `changed` and `added` hold the text of each new value by the digest. */
export interface EditedEntries {
  readonly removed: ReadonlySet<string>;
  readonly changed: ReadonlyMap<string, string>;
  readonly added: ReadonlyMap<string, string>;
}

/** Applies an edit entry by entry, for stores that keep each entry by itself. Throws as {@link editTokens} does. */
export function* editEntriesInSteps(
  file: TokenText,
  { remove = new Set<string>(), change = new Map<string, EntryChange>(), add = [] }: TokenEdits,
): Steps<EditedEntries> {
  const { text, entries, located } = file;
  requireDistinct(file, add);
  requireShowable(entries, [...add.map(({ fields }) => fields), ...change.values()]);
  const added = new Map<string, string>();
  for (const { digest, fields } of add) {
    const value = toLine(fields);
    requireEntry(quoteKey(digest), value);
    added.set(digest, value);
    yield;
  }
  const changed = new Map<string, string>();
  for (const { entry, start, valueStart, end } of located) {
    const wanted = change.get(entry.digest);
    if (wanted === undefined) continue;
    const value = changeValue(text.slice(valueStart, end), wanted);
    requireEntry(text.slice(start, valueStart).trimEnd().replace(/:$/, ''), value);
    changed.set(entry.digest, value);
    yield;
  }
  return { removed: remove, changed, added };
}

/** The whole file on one line, with digests as keys: it fits into an environment variable, and whoever reads it cannot use the tokens. */
export function toOneLine({ text, located }: TokenText): string {
  const entries = located.map(
    ({ entry, valueStart, end }) => `${quoteKey(entry.digest)}:${withoutSpace(text.slice(valueStart, end))}`,
  );
  return `{${entries.join(',')}}`;
}

/** The pieces that remove entries. Each also removes the comma between its entry and those that stay. */
function removals({ located }: TokenText, digests: ReadonlySet<string>): Piece[] {
  const firstKept = located.findIndex(({ entry }) => !digests.has(entry.digest));
  return located.flatMap(({ entry, start, end }, index) => {
    if (!digests.has(entry.digest)) return [];
    const [previous, next] = [located[index - 1], located[index + 1]];
    if (index < firstKept) return next === undefined ? [] : [{ start, end: next.start, content: '' }];
    return previous === undefined ? [] : [{ start: previous.end, end, content: '' }];
  });
}

/** The pieces that replace the values of entries. */
function replacements({ located }: TokenText, values: ReadonlyMap<string, string>): Piece[] {
  return located.flatMap(({ entry, valueStart, end }) => {
    const content = values.get(entry.digest);
    return content === undefined ? [] : [{ start: valueStart, end, content }];
  });
}

/** The piece that adds properties behind the last one, each on a line of its own if the others have one. */
function addition({ text, located }: TokenText, properties: readonly string[]): Piece {
  const last = located.at(-1);
  if (last === undefined) return { ...rootOf(text), content: `{\n  ${properties.join(',\n  ')}\n}` };
  const gap = text.slice(located.at(-2)?.end ?? rootOf(text).start + 1, last.start).replace(',', '');
  const content = properties.map((property) => `,${gap}${property}`).join('');
  return { start: last.end, end: last.end, content };
}

/** The offsets of the object in a text that holds nothing else. */
function rootOf(text: string) {
  return { start: text.indexOf('{'), end: text.lastIndexOf('}') + 1 };
}

/** Refuses to add a token that has an entry already, or to add one twice. */
function requireDistinct({ entries }: TokenText, add: NonNullable<TokenEdits['add']>): void {
  if (add.length === 0) return;
  const digests = new Set(entries.map(({ digest }) => digest));
  for (const { digest } of add) {
    if (digests.has(digest)) throw new TokenFileError('the entry is the same token as another one');
    digests.add(digest);
  }
}

/** JSON text without the white space between its tokens. Strings stay as they are. */
function withoutSpace(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}
