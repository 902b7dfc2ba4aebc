/** Wires the tokens of a database, where TOKENS_STORE says so: they and the database's library are loaded then and not before. */
import type { OpenTokenTable } from '../auth/tokens/open-tokens.ts';
import type { StorageConfig } from '../config/storage.ts';

/** What opens the tokens of this database. */
export function openTokensOf(storage: StorageConfig): OpenTokenTable {
  return async (options) => {
    const { openTokenDatabase } = await import('../auth/table/token-table.ts');
    const { openDatabaseTokens } = await import('../auth/table/database-tokens.ts');
    return openDatabaseTokens({ database: await openTokenDatabase(storage, options.log), ...options });
  };
}
