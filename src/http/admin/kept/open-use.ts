/** Opens the database for counts of use. */
import type { Logger } from 'pino';
import type { StorageConfig } from '../../../config/storage.ts';
import type { Database } from '../../../storage/database.ts';
import { openDatabase } from '../../../storage/open-database.ts';
import { USE_TABLES } from './use-tables.ts';

/** Opens it. One that cannot be reached is looked for from then on. */
export async function openUseDatabase(storage: StorageConfig, log: Logger): Promise<Database> {
  return openDatabase(storage, { migrations: [USE_TABLES], log });
}
