/** Edits the text of a token file, entry by entry: what an edit does not concern keeps its bytes, its order and its form. */
import { applyEdits, createScanner, type Edit, type Node, parseTree } from 'jsonc-parser';
import { parseTokens } from '../../src/auth/tokens/parse-tokens.ts';
import type { TokenEntry } from '../../src/auth/tokens/token-set.ts';

/** What is written into a new entry. */
export interface EntryFields {
  readonly userId: string;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly notBefore?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What may change in an entry that stays. */
export interface EntryChange {
  readonly expiresAt: string;
  /** Added to the entry's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An entry and how the file writes it. */
export interface FileEntry extends TokenEntry {
  /** The key is the token itself, not its digest: whoever reads the file can use it. */
  readonly isPlain: boolean;
}

/** The text of a token file without entries. */
export const EMPTY_TOKEN_FILE = '{}\n';

/**
 * Reads the entries, in their order.
 * @throws {TokenFileError} naming the place of every fault; the same goes for every function here
 */
export function readEntries(text: string): FileEntry[] {
  return locateEntries(text).map(({ entry, key }) =>
    Object.assign(entry, { isPlain: !key.startsWith('sha256:') }),
  );
}

/** Adds an entry behind the others, on a line of its own where the others have one. */
export function addEntry(text: string, digest: string, fields: EntryFields): string {
  locateEntries(text);
  const property = `${quoteKey(digest)}: ${toLine(fields)}`;
  const root = rootOf(text);
  const edit =
    (root.children ?? []).length === 0
      ? { offset: root.offset, length: root.length, content: `{\n  ${property}\n}` }
      : appendTo(text, root, property);
  return checked(applyEdits(text, [edit]));
}

/** Removes the entries with these digests. */
export function removeEntries(text: string, digests: ReadonlySet<string>): string {
  const located = locateEntries(text);
  const isKept = located.map(({ entry }) => !digests.has(entry.digest));
  const firstKept = isKept.indexOf(true);
  if (firstKept === -1) {
    const root = rootOf(text);
    return applyEdits(text, [{ offset: root.offset, length: root.length, content: '{}' }]);
  }
  const nodes = located.map(({ node }) => node);
  const edits = nodes.flatMap((node, index) => {
    if (isKept[index]) return [];
    // Each takes the comma towards the entries that stay with it.
    const [previous, next] = [nodes[index - 1], nodes[index + 1]];
    if (index < firstKept) return next === undefined ? [] : [cut(node.offset, next.offset)];
    return previous === undefined ? [] : [cut(endOf(previous), endOf(node))];
  });
  return checked(applyEdits(text, edits));
}

/** Changes the entry with this digest; a file without it stays as it is. */
export function changeEntry(text: string, digest: string, { expiresAt, metadata }: EntryChange): string {
  const changes: [string[], string][] = [[['expiresAt'], expiresAt]];
  for (const [name, value] of Object.entries(metadata)) changes.push([['metadata', name], value]);
  return checked(changes.reduce((current, [path, value]) => setValue(current, digest, path, value), text));
}

/** The whole file on one line, with digests for keys: fit for a variable, and useless to whoever reads it. */
export function toOneLine(text: string): string {
  const entries = locateEntries(text).map(({ entry, node }) => {
    const value = node.children?.[1];
    return `${quoteKey(entry.digest)}:${value === undefined ? '' : withoutSpace(textOf(text, value))}`;
  });
  return `{${entries.join(',')}}`;
}

/** Entries with their keys and the nodes of their properties; both come in the order of the file. */
function locateEntries(text: string) {
  const entries = parseTokens(text);
  return (rootOf(text).children ?? []).flatMap((node, index) => {
    const entry = entries[index];
    return entry === undefined ? [] : [{ entry, node, key: String(node.children?.[0]?.value) }];
  });
}

/** The node of the whole file, which `parseTokens` has found to be an object. */
function rootOf(text: string): Node {
  const root = parseTree(text);
  if (root === undefined) throw new Error('The text of a token file has no root.');
  return root;
}

/** Sets one string in an entry; an object on the way to it that is missing is made. */
function setValue(text: string, digest: string, path: readonly string[], value: string): string {
  let object = locateEntries(text).find(({ entry }) => entry.digest === digest)?.node.children?.[1];
  for (const [depth, name] of path.entries()) {
    if (object === undefined) return text;
    const rest = path.slice(depth + 1);
    // Where metadata names a field twice, the last one counts, as in JSON.parse.
    const existing: Node | undefined = object.children?.findLast(
      (child) => child.children?.[0]?.value === name,
    )?.children?.[1];
    if (existing === undefined || (rest.length > 0 && existing.type !== 'object')) {
      const made = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      return applyEdits(text, [appendTo(text, object, `${JSON.stringify(name)}: ${toLine(made)}`)]);
    }
    if (rest.length === 0) {
      const { offset, length } = existing;
      return applyEdits(text, [{ offset, length, content: JSON.stringify(value) }]);
    }
    object = existing;
  }
  return text;
}

/** Adds a property behind the last one of an object, set off as that one is. */
function appendTo(text: string, object: Node, property: string): Edit {
  const children = object.children ?? [];
  const last = children.at(-1);
  if (last === undefined) return { offset: object.offset, length: object.length, content: `{ ${property} }` };
  const previous = children.at(-2);
  const gap = text.slice(previous === undefined ? object.offset + 1 : endOf(previous), last.offset);
  return { offset: endOf(last), length: 0, content: `,${gap.replace(',', '')}${property}` };
}

/** An edit that removes what lies between two offsets. */
function cut(start: number, end: number): Edit {
  return { offset: start, length: end - start, content: '' };
}

/** The offset behind a node. */
function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** A node's text. */
function textOf(text: string, { offset, length }: Node): string {
  return text.slice(offset, offset + length);
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

/** JSON text without the white space between its tokens. */
function withoutSpace(text: string): string {
  const scanner = createScanner(text, true);
  let compact = '';
  for (;;) {
    scanner.scan();
    if (scanner.getTokenLength() === 0) return compact;
    compact += text.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
  }
}

/** The text, once it is sure to be a token file. */
function checked(text: string): string {
  parseTokens(text);
  return text;
}
