/** Wires tokens in a database, if TOKENS_STORE says so; only then they and the database's library are loaded. */
import type { OpenTokenTable } from '../auth/tokens/open-tokens.ts';
import type { StorageConfig } from '../config/storage.ts';

/** Makes the function that opens the tokens of this database. */
export function openTokensOf(storage: StorageConfig): OpenTokenTable {
  return async (options) => {
    const { openTokenDatabase } = await import('../auth/table/token-table.ts');
    const { openDatabaseTokens } = await import('../auth/table/database-tokens.ts');
    return openDatabaseTokens({ database: await openTokenDatabase(storage, options.log), ...options });
  };
}
