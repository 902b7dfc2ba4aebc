/** Edits the text of a token file, entry by entry: what an edit does not concern keeps its bytes, its order and its form. */
import { runAtOnce, type Steps } from '../../in-slices.ts';
import { changeValue, type Piece, quoteKey, requireEntry, splice, toLine } from './entry-text.ts';
import { type LocatedEntry, locateTokensInSteps } from './parse-tokens.ts';
import { requireShowable } from './showable.ts';
import { TokenFileError } from './token-file-error.ts';
import type { TokenEntry } from './token-set.ts';

/** The text of a token file and what it says, read once: an edit of a hundred thousand entries parses them no second time. */
export interface TokenText {
  readonly text: string;
  readonly entries: readonly TokenEntry[];
  readonly located: readonly LocatedEntry[];
}

/** What is written into a new entry. */
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

/** What may change in an entry that stays: undefined removes a field. */
export type EntryChange = Readonly<
  Partial<
    Record<'name' | 'expiresAt' | 'signInsSince' | 'limit' | 'disabled' | 'scopes' | 'metadata', unknown> & {
      /** Added to the entry's metadata, not put in its place. */
      readonly metadata: Readonly<Record<string, string | undefined>>;
    }
  >
>;

/** Everything that one edit does. A digest stands in one of the three at most. */
export interface TokenEdits {
  readonly remove?: ReadonlySet<string>;
  readonly change?: ReadonlyMap<string, EntryChange>;
  readonly add?: readonly { readonly digest: string; readonly fields: EntryFields }[];
}

/** Reads entries and changes them, wherever they are kept. */
export interface TokenEditor {
  read(): Promise<TokenText>;
  /**
   * Changes all of it or nothing: a plan that throws leaves everything as it is. Where what was written is not in force, `problem` says
   * why and what helps, in sentences.
   */
  edit<Result>(
    plan: (file: TokenText) => { readonly edits: TokenEdits; readonly result: Result },
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

/** The same, entry by entry. */
export function* readTokenTextInSteps(text: string): Steps<TokenText> {
  const located = yield* locateTokensInSteps(text);
  return { text, located, entries: located.map(({ entry }) => entry) };
}

/**
 * The text after an edit.
 * @throws {TokenFileError} naming what of "the entry" no token file may hold
 */
export function editTokens(file: TokenText, edits: TokenEdits): string {
  return runAtOnce(editTokensInSteps(file, edits));
}

/** The same, entry by entry. */
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

/** What an edit makes of the entries that it concerns: the text of each value, by its digest. */
export interface EditedEntries {
  readonly removed: ReadonlySet<string>;
  readonly changed: ReadonlyMap<string, string>;
  readonly added: ReadonlyMap<string, string>;
}

/** What an edit comes to, entry by entry, for those who keep each by itself. Throws as {@link editTokens} does. */
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

/** The whole file on one line, with digests for keys: fit for a variable, and useless to whoever reads it. */
export function toOneLine({ text, located }: TokenText): string {
  const entries = located.map(
    ({ entry, valueStart, end }) => `${quoteKey(entry.digest)}:${withoutSpace(text.slice(valueStart, end))}`,
  );
  return `{${entries.join(',')}}`;
}

/** Cuts entries out. Each takes the comma towards the entries that stay with it. */
function removals({ located }: TokenText, digests: ReadonlySet<string>): Piece[] {
  const firstKept = located.findIndex(({ entry }) => !digests.has(entry.digest));
  return located.flatMap(({ entry, start, end }, index) => {
    if (!digests.has(entry.digest)) return [];
    const [previous, next] = [located[index - 1], located[index + 1]];
    if (index < firstKept) return next === undefined ? [] : [{ start, end: next.start, content: '' }];
    return previous === undefined ? [] : [{ start: previous.end, end, content: '' }];
  });
}

/** Puts other values in the place of those of entries. */
function replacements({ located }: TokenText, values: ReadonlyMap<string, string>): Piece[] {
  return located.flatMap(({ entry, valueStart, end }) => {
    const content = values.get(entry.digest);
    return content === undefined ? [] : [{ start: valueStart, end, content }];
  });
}

/** Adds properties behind the last one, each on a line of its own where the others have one. */
function addition({ text, located }: TokenText, properties: readonly string[]): Piece {
  const last = located.at(-1);
  if (last === undefined) return { ...rootOf(text), content: `{\n  ${properties.join(',\n  ')}\n}` };
  const gap = text.slice(located.at(-2)?.end ?? rootOf(text).start + 1, last.start).replace(',', '');
  const content = properties.map((property) => `,${gap}${property}`).join('');
  return { start: last.end, end: last.end, content };
}

/** Where the object stands in a text that holds nothing else. */
function rootOf(text: string) {
  return { start: text.indexOf('{'), end: text.lastIndexOf('}') + 1 };
}

/** Refuses entries that are there already, or twice. */
function requireDistinct({ entries }: TokenText, add: NonNullable<TokenEdits['add']>): void {
  if (add.length === 0) return;
  const digests = new Set(entries.map(({ digest }) => digest));
  for (const { digest } of add) {
    if (digests.has(digest)) throw new TokenFileError('the entry is the same token as another one');
    digests.add(digest);
  }
}

/** JSON text without the white space between its tokens: strings are taken whole, and with them what is in them. */
function withoutSpace(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}
