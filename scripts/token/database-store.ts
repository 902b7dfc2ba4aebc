/** The store of tokens in a database, for the commands: each call opens the database, and closes it when it is done. */
import { pino } from 'pino';
import { TokenStoreError } from '../../src/auth/tokens/token-store-error.ts';
import { warningsOfWeak } from '../../src/auth/tokens/edit-outlook.ts';
import type { TokenStore } from '../../src/auth/tokens/token-store.ts';
import type * as tokenTable from '../../src/auth/table/token-table.ts';
import type { Config } from '../../src/config/config.ts';

/** The module that reads and edits the table of tokens; it is imported only when needed, with the database's library. */
type Table = typeof tokenTable;

/** The name of the store in messages. */
const NAME = 'the database';

/** The usual reasons why a database cannot be used: what they mean, and what helps. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^(28...|password)$/, 'it rejects the user or the password. Correct them in DATABASE_URL'],
  [/^3D000$/, 'there is no such database. Create it, or correct its name in DATABASE_URL'],
  [
    /^(ECONNREFUSED|ENOENT)$/,
    'nothing listens there. Start the database, or correct the host and the port in DATABASE_URL',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'its host is not found. Correct the host in DATABASE_URL'],
  [
    /^(away|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'nothing answers there. Correct the host and the port in DATABASE_URL, or let this machine reach it',
  ],
  [
    /^53300$/,
    'all of its connections are in use. Wait a little, or raise max_connections of the database that DATABASE_URL names',
  ],
  [/^25006$/, 'it can only be read, as a standby is. Name its primary in DATABASE_URL'],
  [/^TLS$/, 'no encrypted connection can be made. Correct sslmode in DATABASE_URL, or the certificate'],
  [
    /^(SQLITE_(CANTOPEN|READONLY|AUTH)|EACCES|EPERM|EROFS|EEXIST|ENOTDIR|EISDIR)$/,
    'its file cannot be opened or created. Correct the path in DATABASE_URL, or the permissions of this user there',
  ],
  [
    /^(53100|SQLITE_FULL)$/,
    'the disk is full. Free space on the disk where the database of DATABASE_URL keeps its data',
  ],
  [/^SQLITE_NOTADB$/, 'the file is not an SQLite database. Correct the path in DATABASE_URL'],
];

/** The store of a server that keeps its tokens in a database; undefined when it does not, or `--file` names a file. Connects to nothing. */
export function storeInDatabase(
  { auth, storage }: Pick<Config, 'auth' | 'storage'>,
  file: string | undefined,
): TokenStore | undefined {
  if (file !== undefined || auth.tokens.kind !== 'database') return undefined;
  /** Opens the database, does some work with it, and closes it. */
  const withTable = async <Result>(
    work: (table: Table, database: Awaited<ReturnType<Table['openTokenDatabase']>>) => Promise<Result>,
  ): Promise<Result> => {
    const table = await import('../../src/auth/table/token-table.ts');
    const database = await table.openTokenDatabase(storage, pino({ level: 'silent' }));
    try {
      return await table.withWords(async () => work(table, database));
    } catch (error) {
      throw await explained(error);
    } finally {
      await database.close();
    }
  };
  return {
    name: NAME,
    read: async () => withTable(async ({ readTokens }, database) => readTokens(database)),
    edit: async (plan) => {
      const { result, warnings } = await withTable(async ({ editTokenTable }, database) =>
        editTokenTable(database, (before) => {
          const planned = plan(before);
          const found = warningsOfWeak(NAME, before, planned.edits);
          return { edits: planned.edits, result: { result: planned.result, warnings: found } };
        }),
      );
      return {
        result,
        outlook: 'Every running server with this database applies this change within two seconds.',
        warnings,
      };
    },
  };
}

/** Explains why the database cannot be used, to the person who runs the command: a server tells its clients nothing of it. */
async function explained(error: unknown): Promise<unknown> {
  const { StorageUnavailable } = await import('../../src/storage/errors.ts');
  const cause = error instanceof TokenStoreError ? error.cause : undefined;
  if (!(cause instanceof StorageUnavailable) || cause.code !== 'unreachable') return error;
  const { reason = cause.code } = cause;
  const [, meaning = 'see DATABASE_URL, and what the database itself logs'] =
    MEANINGS.find(([reasons]) => reasons.test(reason)) ?? [];
  return new TokenStoreError(`The database of the tokens cannot be used (${reason}): ${meaning}.`, { cause });
}
