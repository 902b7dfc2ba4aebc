/** SQLite itself: Node's own module if there is one, or else a package with the same interface, which Node 20 needs. */
import { StatementError } from './errors.ts';
import type { Row, SqlValue } from './statement.ts';

/** The part of the library that is used here: https://nodejs.org/api/sqlite.html */
export interface SqliteLibrary {
  readonly DatabaseSync: new (file: string) => SqliteConnection;
}

/** An open file. */
export interface SqliteConnection {
  readonly isTransaction: boolean;
  exec(text: string): void;
  prepare(text: string): SqliteStatement;
  close(): void;
}

/** A prepared statement. */
export interface SqliteStatement {
  all(...values: readonly SqlValue[]): Row[];
}

/**
 * Loads the library.
 * @throws {StatementError} that says what helps, if there is none
 */
export async function loadSqlite(): Promise<SqliteLibrary> {
  const found: unknown =
    process.getBuiltinModule('node:sqlite') ??
    (await import('@photostructure/sqlite').catch(() => undefined));
  if (isLibrary(found)) return found;
  throw new StatementError(
    'This Node.js has no SQLite. Use Node.js 22.13 or later, install the optional dependencies (npm ci --include=optional), or set DATABASE_URL to a PostgreSQL database.',
  );
}

/** Whether a value is the library. */
function isLibrary(found: unknown): found is SqliteLibrary {
  return typeof found === 'object' && found !== null && 'DatabaseSync' in found;
}
