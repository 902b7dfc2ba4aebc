/** The tokens of a database, for the commands: opened for each of them, and closed when it is done. */
import { pino } from 'pino';
import type { TokenStore } from '../../src/auth/tokens/token-store.ts';
import type * as tokenTable from '../../src/auth/table/token-table.ts';
import type { Config } from '../../src/config/config.ts';

/** What works on the tables of tokens; it is loaded with the database's library. */
type Table = typeof tokenTable;

/** What it is called in messages. */
const NAME = 'the database';

/** The store of a server whose tokens are in its database, unless a file is named; nothing is connected yet. */
export function storeInDatabase(
  { auth, storage }: Pick<Config, 'auth' | 'storage'>,
  file: string | undefined,
): TokenStore | undefined {
  if (file !== undefined || auth.tokens.kind !== 'database') return undefined;
  /** Does something with the tables of tokens. */
  const withTable = async <Result>(
    work: (table: Table, database: Awaited<ReturnType<Table['openTokenDatabase']>>) => Promise<Result>,
  ): Promise<Result> => {
    const table = await import('../../src/auth/table/token-table.ts');
    const database = await table.openTokenDatabase(storage, pino({ level: 'silent' }));
    try {
      return await table.withWords(async () => work(table, database));
    } finally {
      await database.close();
    }
  };
  return {
    name: NAME,
    read: async () => withTable(async ({ readTokens }, database) => readTokens(database)),
    edit: async (plan) => {
      const result = await withTable(async ({ editTokenTable }, database) => editTokenTable(database, plan));
      return {
        result,
        outlook: 'Every running server with this database takes this over within two seconds.',
        warnings: [],
      };
    },
  };
}
