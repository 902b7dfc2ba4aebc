/** SQLite itself: Node's own where there is one, else a package with the same interface, which Node 20 needs. */
import { StatementError } from './errors.ts';
import type { Row, SqlValue } from './statement.ts';

/** What of the library is used here: https://nodejs.org/api/sqlite.html */
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
 * Loads it.
 * @throws {StatementError} saying what helps, where there is none
 */
export async function loadSqlite(): Promise<SqliteLibrary> {
  const found: unknown =
    process.getBuiltinModule('node:sqlite') ??
    (await import('@photostructure/sqlite').catch(() => undefined));
  if (isLibrary(found)) return found;
  throw new StatementError(
    'This Node has no SQLite. Take Node 22.13 or later, have npm install what is optional (npm ci --include=optional), or set DATABASE_URL to a PostgreSQL.',
  );
}

/** Whether something is the library. */
function isLibrary(found: unknown): found is SqliteLibrary {
  return typeof found === 'object' && found !== null && 'DatabaseSync' in found;
}
