/** Tokens as rows of a database: the entries of a token file by their digests, and a number that changes with each edit. */
import type { Logger } from 'pino';
import type { StorageConfig } from '../../config/storage.ts';
import type { Database, Sql } from '../../storage/database.ts';
import { MigrationError, StatementError, StorageUnavailable } from '../../storage/errors.ts';
import type { Migrations } from '../../storage/migrations.ts';
import { openDatabase } from '../../storage/open-database.ts';
import { inParts, listOf, rowsOf, sql } from '../../storage/statement.ts';
import { runInSlices } from '../../in-slices.ts';
import {
  editEntriesInSteps,
  readTokenTextInSteps,
  type TokenPlan,
  type TokenText,
} from '../tokens/token-edit.ts';
import { TokenStoreError } from '../tokens/token-store-error.ts';

/** The tables of the tokens. */
const TABLES: Migrations = {
  owner: 'tokens',
  steps: [
    {
      name: 'entries and their version',
      statements: [
        sql`create table server_tokens (digest text primary key, entry text not null, position integer not null)`,
        sql`create table server_tokens_version (id integer primary key, version integer not null)`,
        sql`insert into server_tokens_version (id, version) values (1, 0)`,
      ],
    },
  ],
};

/** The channel on which PostgreSQL notifies every process of an edit, as soon as it is committed. */
export const CHANNEL = 'server_tokens';

/**
 * Opens the database with the tables of tokens.
 * @throws {TokenStoreError} when there is no library for it, or when its tables cannot be migrated
 */
export async function openTokenDatabase(storage: StorageConfig, log: Logger): Promise<Database> {
  try {
    return await openDatabase(storage, { migrations: [TABLES], log });
  } catch (error) {
    if (!(error instanceof StatementError || error instanceof MigrationError)) throw error;
    throw new TokenStoreError(`The database of the tokens cannot be opened: ${error.message}`, {
      cause: error,
    });
  }
}

/** What helps when the tables are gone, for instance because the database was dropped and made anew. */
export const OTHER_TABLES =
  'If the database was created anew, restore the one that held the tokens: "npm run token" and the start of a server create the tables, and the earlier tokens then stop working';

/** The version of the entries: a number that each edit increases. */
export async function readVersion(database: Sql): Promise<number> {
  const [row] = await database.query(sql`select version from server_tokens_version where id = 1`);
  return Number(row?.['version'] ?? 0);
}

/** The entries as the text of a token file, so that one set of rules and edits serves both. */
export async function readTokenTable(database: Sql): Promise<string> {
  const rows = await database.query(sql`select digest, entry from server_tokens order by position, digest`);
  const lines = rows.map(
    ({ digest, entry }) => `  ${JSON.stringify(`sha256:${String(digest)}`)}: ${String(entry)}`,
  );
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}

/** Reads the entries, in slices: a server that does this has other requests to answer. */
export async function readTokens(database: Sql): Promise<TokenText> {
  return runInSlices(readTokenTextInSteps(await readTokenTable(database)));
}

/**
 * Edits the entries in one transaction: a plan that throws changes nothing. Two edits at once run one after the other, so a plan may be called again.
 */
export async function editTokenTable<Result>(
  database: Database,
  plan: (file: TokenText) => TokenPlan<Result>,
): Promise<Result> {
  return database.transaction(async (within) => {
    if (database.dialect === 'postgres') await within.query(sql`select pg_notify(${CHANNEL}, '')`);
    // This comes before reading, since it locks the row: the second of two edits at once waits here.
    await within.query(sql`update server_tokens_version set version = version + 1 where id = 1`);
    const before = await readTokens(within);
    const { edits, result } = plan(before);
    // In few statements, since a transaction may take ten seconds at most.
    const { removed, changed, added } = await runInSlices(editEntriesInSteps(before, edits));
    for (const digests of inParts([...removed]))
      await within.query(sql`delete from server_tokens where digest in (${listOf(digests)})`);
    const last = before.entries.length;
    const rows = [
      // A row that is there keeps its position, whatever stands here.
      ...[...changed].map(([digest, entry]) => sql`(${digest}, ${entry}, 0)`),
      ...[...added].map(([digest, entry], index) => sql`(${digest}, ${entry}, ${last + index + 1})`),
    ];
    for (const part of inParts(rows))
      await within.query(sql`
        insert into server_tokens (digest, entry, position) values ${rowsOf(part)}
        on conflict (digest) do update set entry = excluded.entry`);
    return result;
  });
}

/**
 * Runs `work` on the tables.
 * @throws {TokenStoreError} when the database cannot be used: people who have asked for something read its message
 */
export async function withWords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StatementError)
      throw new TokenStoreError(
        `The database of the tokens cannot be used: ${error.message}. ${OTHER_TABLES}.`,
        { cause: error },
      );
    if (!(error instanceof StorageUnavailable)) throw error;
    throw new TokenStoreError(`The database of the tokens cannot be used: ${error.message}`, {
      cause: error,
      isUnsure: error.code === 'unsure',
    });
  }
}
