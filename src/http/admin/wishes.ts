/** Reads the tokens that an admin wants, from JSON or from pasted lines and tables, into entries of a token file. */
import { z } from 'zod';
import { parseCsv } from '../../auth/tokens/csv.ts';
import { momentToCome } from '../../auth/tokens/moments.ts';
import { formatMoment } from '../../auth/tokens/new-token.ts';
import { parseScopes } from '../../auth/tokens/scopes.ts';
import type { EntryFields } from '../../auth/tokens/token-edit.ts';
import { HttpError } from '../errors.ts';

/** How many people a request may have: more than any school has. */
const MAX_PEOPLE = 5_000;

const PERSON = z.strictObject({
  user: z.string().trim().min(1).max(200),
  name: z.string().max(200).optional(),
  scopes: z.string().max(2_000).optional(),
  expires: z.string().max(40).optional(),
});

/** One person, as the request has it. */
type Person = z.output<typeof PERSON>;

/** The body of a request for new tokens. */
export const NEW_TOKENS = z.union([
  z.strictObject({ people: z.array(PERSON).min(1).max(MAX_PEOPLE) }),
  z.strictObject({ table: z.string().min(1) }),
]);

/** The columns of a table without a header line, in this order. */
const COLUMNS = ['user', 'name', 'scopes', 'expires'] as const;

/**
 * Reads the people of a table, or of lines with a user each.
 * @throws {HttpError} 400 naming the line that is wrong
 */
export function readTable(table: string): Person[] {
  const rows = parseCsv(table);
  if (rows === undefined) throw badRequest('The table has a quote that is not closed.');
  const names = (rows[0]?.cells ?? []).map((cell) => cell.toLowerCase());
  const hasHead = names.includes('user');
  const columns = hasHead ? names : COLUMNS;
  const strange = columns.find((name) => !COLUMNS.some((known) => known === name));
  if (strange !== undefined)
    throw badRequest('The first line names a column other than user, name, scopes and expires.');
  const lines = rows.slice(hasHead ? 1 : 0);
  if (lines.length > MAX_PEOPLE) throw badRequest(`The table has more than ${MAX_PEOPLE} lines.`);
  const people = lines.map(({ cells, line }) => {
    const filled = columns.flatMap((name, column) => (cells[column] ? [[name, cells[column]]] : []));
    const person = PERSON.safeParse(Object.fromEntries(filled));
    if (person.success && cells.length <= columns.length) return person.data;
    throw badRequest(`Line ${line} is not a user, or has too many cells.`);
  });
  if (people.length === 0) throw badRequest('The table has no line with a user.');
  const users = new Set<string>();
  for (const { user } of people) {
    if (users.has(user)) throw badRequest(`The table names ${user} twice.`);
    users.add(user);
  }
  return people;
}

/**
 * Makes the entry of a person.
 * @throws {HttpError} 400 naming the person and what is wrong
 */
export function entryOf({ user, name, scopes, expires }: Person, nowMs: number): EntryFields {
  return {
    userId: user,
    name: name?.trim() === '' ? undefined : name?.trim(),
    scopes: scopes === undefined ? undefined : scopesOf(scopes),
    expiresAt: expires?.trim() ? endOf(expires.trim(), nowMs, user) : undefined,
    metadata: { created: formatMoment(nowMs) },
  };
}

/** Reads scopes as people write them; undefined, which means all, if nothing is written. */
export function scopesOf(text: string): string[] | undefined {
  return /[^\s,;]/.test(text) ? parseScopes(text) : undefined;
}

/** Reads a moment to come from a date, or from a length of time such as 90d. */
export function endOf(text: string, nowMs: number, whose: string): string {
  const atMs = momentToCome(text, nowMs);
  if (atMs === undefined || atMs <= nowMs)
    throw badRequest(
      `The end for ${whose} must be a date in the future, such as 2027-06-30, or a length of time such as 90d.`,
    );
  return formatMoment(atMs);
}

/** The refusal of a faulty request. */
export function badRequest(words: string): HttpError {
  return new HttpError(400, 'invalid_request', words);
}
