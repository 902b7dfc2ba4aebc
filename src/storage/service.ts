/** The database as a service: a fork lists it in `src/services/`, and its tools get it with `use`. */
import { STORAGE_PLACE_VARIABLES, storageOf } from '../config/storage.ts';
import { defineService, type Service } from '../mcp/service.ts';
import type { Database } from './database.ts';
import { openDatabase } from './open-database.ts';
import type { Migrations } from './migrations.ts';

/** Declares the service, with the steps that make its tables. `DATABASE_URL` says where the database is; without it, it is a file. */
export function defineDatabase(migrations: Migrations): Service<Database> {
  return defineService({
    name: 'database',
    variables: STORAGE_PLACE_VARIABLES,
    open: async (values, { log, folder }) =>
      openDatabase(storageOf(values), { migrations: [migrations], log, folder }),
    isReady: async (database) => database.isReady(),
    close: async (database) => database.close(),
  });
}
