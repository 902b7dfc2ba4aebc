/** What the errors of SQLite mean. */
import { busy, ConstraintError, StatementError, unreachable } from './errors.ts';

/** Result codes of SQLite: https://www.sqlite.org/rescode.html */
const [BUSY, LOCKED, CONSTRAINT] = [5, 6, 19];
const UNIQUE: ReadonlySet<number> = new Set([1555, 2067, 2579]);

/** The codes that mean that the file cannot be used, with their names. */
const AWAY: Readonly<Record<number, string>> = {
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};

/** Whether another process is in the way. */
export function isBusy(error: unknown): boolean {
  return primaryOf(resultCodeOf(error)) === BUSY;
}

/** Converts an error to one of the port. */
export function fromSqlite(error: unknown): unknown {
  const code = resultCodeOf(error);
  const primary = primaryOf(code);
  if (code === undefined || primary === undefined) {
    const isOfSystem = error instanceof Error && 'syscall' in error && 'code' in error;
    return isOfSystem ? unreachable(String(error.code)) : error;
  }
  const away = AWAY[primary];
  if (away !== undefined) return unreachable(away);
  if (primary === BUSY || primary === LOCKED) return busy('SQLITE_BUSY');
  // SQLite's messages name parts of the statement, and quote no values.
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  if (primary === CONSTRAINT) return new ConstraintError(UNIQUE.has(code) ? 'unique' : 'other', message);
  return new StatementError(message);
}

/** SQLite's own words for result codes: the package that Node 20 needs leaves the codes out of some errors. */
const MESSAGES: readonly (readonly [RegExp, number])[] = [
  [/^UNIQUE constraint failed/, 2067],
  [/constraint failed$|constraint failed:/, CONSTRAINT],
  [/^database (table )?is locked/, BUSY],
  [/^attempt to write a readonly database/, 8],
  [/^disk I\/O error/, 10],
  [/disk image is malformed/, 11],
  [/^database or disk is full/, 13],
  [/^unable to open database file/, 14],
  [/^file is not a database/, 26],
];

/** The extended result code of an error; undefined for an error that is not SQLite's. */
function resultCodeOf(error: unknown): number | undefined {
  // Not `instanceof`: the package's errors are of another realm than a test's.
  if (typeof error !== 'object' || error === null) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode;
  if (!('code' in error) || error.code !== 'ERR_SQLITE_ERROR' || !('message' in error)) return undefined;
  const message = String(error.message);
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? 1;
}

/** The primary result code of an extended one. */
function primaryOf(code: number | undefined): number | undefined {
  return code === undefined ? undefined : code % 256;
}
