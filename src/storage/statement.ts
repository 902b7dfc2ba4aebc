/** SQL as a tagged template: what is in `${…}` goes to the database as a value, never as a part of the text. */
import { StorageUnavailable } from './errors.ts';

/** The value of a column, the same in both kinds of database: no booleans (0 and 1), no dates (milliseconds, or ISO texts). */
export type SqlValue = string | number | Uint8Array | null;

/** One statement, or a part of one that another template inserts. */
export interface Statement {
  /** The texts between the values: one more than there are values. */
  readonly texts: readonly string[];
  readonly values: readonly SqlValue[];
}

/** A row, by the names of its columns: write them in lower case with underscores, which both kinds leave as they are. */
export type Row = Readonly<Record<string, SqlValue>>;

/**
 * Makes a statement: sql`select note from notes where user_id = ${userId}`. A statement inside another one becomes a part of it.
 * @throws {StorageUnavailable} when no database can store one of the values
 */
export function sql(
  template: TemplateStringsArray,
  ...inserted: readonly (SqlValue | Statement)[]
): Statement {
  const texts = [template[0] ?? ''];
  const values: SqlValue[] = [];
  for (const [index, one] of inserted.entries()) {
    const after = template[index + 1] ?? '';
    if (isStatement(one)) {
      const [first = '', ...others] = one.texts;
      texts.push(`${texts.pop() ?? ''}${first}`, ...others);
      values.push(...one.values);
      texts.push(`${texts.pop() ?? ''}${after}`);
    } else {
      values.push(checked(one));
      texts.push(after);
    }
  }
  return { texts, values };
}

/** Makes a list of values for `in (…)`: sql`where id in (${listOf(ids)})`. An empty list matches nothing. */
export function listOf(values: readonly SqlValue[]): Statement {
  if (values.length === 0) return sql`null`;
  return { texts: ['', ...values.slice(1).map(() => ', '), ''], values: values.map(checked) };
}

/** Makes rows for `values …`, at least one: sql`insert into notes values ${rowsOf(rows)}`. */
export function rowsOf(rows: readonly Statement[]): Statement {
  return rows.reduce((all, row) => sql`${all}, ${row}`);
}

/** How many items one statement takes: databases limit its number of values. */
const ITEMS_AT_ONCE = 500;

/** Splits a list into parts for one statement each, so that thousands of items take a few round trips. */
export function inParts<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / ITEMS_AT_ONCE);
  return Array.from({ length: count }, (_, part) =>
    items.slice(part * ITEMS_AT_ONCE, (part + 1) * ITEMS_AT_ONCE),
  );
}

/** Returns the text of a statement with a placeholder for each value: `?` or `$1`, `$2` … */
export function spell({ texts }: Statement, placeholder: (number: number) => string): string {
  return texts.reduce((text, next, index) => `${text}${placeholder(index)}${next}`);
}

/** Whether an inserted value is a part of a statement. */
function isStatement(inserted: SqlValue | Statement): inserted is Statement {
  return typeof inserted === 'object' && inserted !== null && 'texts' in inserted;
}

/**
 * Returns a value that both kinds of database store as it is.
 * @throws {StorageUnavailable} for any other value
 */
function checked(value: SqlValue): SqlValue {
  if (typeof value === 'string' && value.includes('\0'))
    throw new StorageUnavailable(
      'unstorable',
      'A text with the character U+0000 cannot be stored. Remove the character.',
    );
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new StorageUnavailable('unstorable', 'A number that is not finite cannot be stored.');
  return value;
}
