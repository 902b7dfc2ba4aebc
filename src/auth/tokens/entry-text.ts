/** Makes, changes and checks the text of one entry of a token file. What a change does not concern keeps its bytes. */
import { applyEdits, modify, type Node, parseTree } from 'jsonc-parser';
import { parseTokens } from './parse-tokens.ts';
import { TokenFileError } from './token-file-error.ts';

/** An edit of a text: `content` replaces what is between two offsets. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

/** Applies edits that do not overlap. Two at the same offset are applied in their order. */
export function splice(text: string, pieces: readonly Piece[]): string {
  let result = '';
  let offset = 0;
  for (const { start, end, content } of pieces.toSorted((one, other) => one.start - other.start)) {
    result += text.slice(offset, start) + content;
    offset = end;
  }
  return result + text.slice(offset);
}

/** The fields of an entry to set, and those of its metadata; undefined removes a field. */
type FieldChanges = Readonly<Record<string, unknown>> & {
  readonly metadata?: Readonly<Record<string, unknown>>;
};

/** The text of an entry's value with some fields changed. */
export function changeValue(value: string, { metadata = {}, ...fields }: FieldChanges): string {
  const paths = [
    ...Object.entries(fields).map(([name, field]) => [[name], field] as const),
    ...Object.entries(metadata).map(([name, field]) => [['metadata', name], field] as const),
  ];
  return paths.reduce((current, [path, field]) => setField(current, path, field), value);
}

/** Sets or removes the field at a path of an object. Objects that are missing on the path are made. */
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

/** Adds a field behind the last one of an object, with the same white space in front. */
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

/**
 * Checks that a key and a value make a valid entry of a token file.
 * @throws {TokenFileError} naming what is wrong with "the entry"
 */
export function requireEntry(key: string, value: string): void {
  try {
    parseTokens(`{${key}: ${value}}`);
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new TokenFileError(error.message.replaceAll('entry 1 ', 'the entry '), { cause: error });
  }
}

/** The key of an entry as JSON: its digest behind `sha256:`. */
export function quoteKey(digest: string): string {
  return JSON.stringify(`sha256:${digest}`);
}

/** JSON on one line, with spaces as people write it. Fields that are undefined are left out. */
export function toLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${JSON.stringify(name)}: ${toLine(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
