/** Edits the text of a token file, entry by entry: what an edit does not concern keeps its bytes, its order and its form. */
import { applyEdits, modify, type Node, parseTree } from 'jsonc-parser';
import { runAtOnce } from '../../in-slices.ts';
import { type LocatedEntry, locateTokensInSteps, parseTokens } from './parse-tokens.ts';
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
  /** Changes all of it or nothing: a plan that throws leaves everything as it is. */
  edit<Result>(
    plan: (file: TokenText) => { readonly edits: TokenEdits; readonly result: Result },
  ): Promise<Result>;
}

/** The text of a token file without entries. */
export const EMPTY_TOKEN_FILE = '{}\n';

/**
 * Reads a token file's text.
 * @throws {TokenFileError} naming the place of every fault
 */
export function readTokenText(text: string): TokenText {
  const located = runAtOnce(locateTokensInSteps(text));
  return { text, located, entries: located.map(({ entry }) => entry) };
}

/**
 * The text after an edit.
 * @throws {TokenFileError} naming what of "the entry" no token file may hold
 */
export function editTokens(file: TokenText, { remove, change, add = [] }: TokenEdits): string {
  requireDistinct(file, add);
  requireShowable(file.entries, [...add.map(({ fields }) => fields), ...(change?.values() ?? [])]);
  const added = add.map(({ digest, fields }) => checkedProperty(quoteKey(digest), toLine(fields)));
  const pieces = [
    ...(remove === undefined ? [] : removals(file, remove)),
    ...(change === undefined ? [] : changes(file, change)),
    ...(added.length === 0 ? [] : [addition(file, added)]),
  ];
  const leavesNone = remove !== undefined && file.entries.every(({ digest }) => remove.has(digest));
  if (!leavesNone) return splice(file.text, pieces);
  const content = added.length === 0 ? '{}' : `{\n  ${added.join(',\n  ')}\n}`;
  return splice(file.text, [{ ...rootOf(file.text), content }]);
}

/** The whole file on one line, with digests for keys: fit for a variable, and useless to whoever reads it. */
export function toOneLine({ text, located }: TokenText): string {
  const entries = located.map(
    ({ entry, valueStart, end }) => `${quoteKey(entry.digest)}:${withoutSpace(text.slice(valueStart, end))}`,
  );
  return `{${entries.join(',')}}`;
}

/** Puts `content` in the place of what lies between two offsets. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

/** Applies edits that do not overlap; for two at one offset the order is theirs. */
function splice(text: string, pieces: readonly Piece[]): string {
  let result = '';
  let offset = 0;
  for (const { start, end, content } of pieces.toSorted((one, other) => one.start - other.start)) {
    result += text.slice(offset, start) + content;
    offset = end;
  }
  return result + text.slice(offset);
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

/** Rewrites the values of entries. */
function changes({ text, located }: TokenText, wanted: ReadonlyMap<string, EntryChange>): Piece[] {
  return located.flatMap(({ entry, start, valueStart, end }) => {
    const change = wanted.get(entry.digest);
    if (change === undefined) return [];
    const content = changeValue(text.slice(valueStart, end), change);
    checkedProperty(text.slice(start, valueStart).trimEnd().replace(/:$/, ''), content);
    return [{ start: valueStart, end, content }];
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

/** The text of an entry's value with some fields changed. */
function changeValue(value: string, { metadata = {}, ...fields }: EntryChange): string {
  const paths = [
    ...Object.entries(fields).map(([name, field]) => [[name], field] as const),
    ...Object.entries(metadata).map(([name, field]) => [['metadata', name], field] as const),
  ];
  return paths.reduce((current, [path, field]) => setField(current, path, field), value);
}

/** Sets one field of an object; an object on the way to it that is missing is made. */
function setField(text: string, path: readonly string[], value: unknown): string {
  if (value === undefined) return applyEdits(text, modify(text, [...path], undefined, {}));
  let object = parseTree(text);
  for (const [depth, name] of path.entries()) {
    if (object === undefined) return text;
    const rest = path.slice(depth + 1);
    // Where metadata names a field twice, the last one counts, as in JSON.parse.
    const existing: Node | undefined = object.children?.findLast(
      (child) => child.children?.[0]?.value === name,
    )?.children?.[1];
    if (existing === undefined || (rest.length > 0 && existing.type !== 'object')) {
      const made = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      return appendField(text, object, `${JSON.stringify(name)}: ${toLine(made)}`);
    }
    if (rest.length === 0) {
      const { offset, length } = existing;
      return splice(text, [{ start: offset, end: offset + length, content: toLine(value) }]);
    }
    object = existing;
  }
  return text;
}

/** Adds a field behind the last one of an object, set off as that one is. */
function appendField(text: string, object: Node, property: string): string {
  const [previous, last] = [object.children?.at(-2), object.children?.at(-1)];
  if (last === undefined) {
    const { offset, length } = object;
    return splice(text, [{ start: offset, end: offset + length, content: `{ ${property} }` }]);
  }
  const gap = text.slice(previous === undefined ? object.offset + 1 : endOf(previous), last.offset);
  return splice(text, [
    { start: endOf(last), end: endOf(last), content: `,${gap.replace(',', '')}${property}` },
  ]);
}

/** The offset behind a node. */
function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** A property, once it is sure that a token file may hold it. */
function checkedProperty(key: string, value: string): string {
  const property = `${key}: ${value}`;
  try {
    parseTokens(`{${property}}`);
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new TokenFileError(error.message.replaceAll('entry 1 ', 'the entry '), { cause: error });
  }
  return property;
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

/** The key of an entry. */
function quoteKey(digest: string): string {
  return JSON.stringify(`sha256:${digest}`);
}

/** JSON on one line with the spaces that people put; fields that are undefined are left out. */
function toLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${JSON.stringify(name)}: ${toLine(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

/** JSON text without the white space between its tokens: strings are taken whole, and with them what is in them. */
function withoutSpace(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}
