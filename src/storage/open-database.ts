/** Opens the database that the configuration names. Only the library of its kind is loaded. */
import path from 'node:path';
import type { Logger } from 'pino';
import type { StorageConfig } from '../config/storage.ts';
import type { Database, Driver } from './database.ts';
import { openLiveDatabase } from './live-database.ts';
import type { Migrations } from './migrations.ts';

/** The options of {@link openDatabase}. */
export interface OpenDatabaseOptions {
  /** Run when the database is there, before anything else is done with it. */
  readonly migrations: readonly Migrations[];
  readonly log: Logger;
  /** The folder of a relative path of a file. */
  readonly folder?: string;
}

/**
 * Opens the database. A server also starts when it cannot be reached: calls fail until it is there.
 * @throws {MigrationError} when it is there, and its tables cannot be migrated
 */
export async function openDatabase(config: StorageConfig, options: OpenDatabaseOptions): Promise<Database> {
  const { migrations, log } = options;
  if (config.dialect === 'sqlite' && config.isLostWithDeployment)
    log.warn(
      'What is kept here is lost with the next deployment, which has a new disk. Set DATABASE_URL to a PostgreSQL database; Replit sets it when you add one to the app.',
    );
  return openLiveDatabase({ driver: await createDriver(config, options), migrations, log });
}

/** Makes the driver of the database's kind. */
async function createDriver(config: StorageConfig, { folder = '.' }: OpenDatabaseOptions): Promise<Driver> {
  if (config.dialect === 'postgres') {
    const { createPostgresDriver } = await import('./postgres.ts');
    return createPostgresDriver(config.url);
  }
  const { createSqliteDriver } = await import('./sqlite.ts');
  return createSqliteDriver(path.resolve(folder, config.file));
}
