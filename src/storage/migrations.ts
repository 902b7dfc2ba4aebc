/** Migrates the tables of a database to what the program expects: numbered steps in one list, each run once. */
import type { Dialect, Driver } from './database.ts';
import { MigrationError } from './errors.ts';
import { sql, type Statement } from './statement.ts';

/** The steps of one owner, in their order. A step that has been run anywhere must never be changed, moved or removed: add another one. */
export interface Migrations {
  /** Names the owner; a database may have the steps of several. */
  readonly owner: string;
  readonly steps: readonly MigrationStep[];
}

/** One step. Its number is its place in the list, from 1. */
export interface MigrationStep {
  readonly name: string;
  readonly statements: readonly Statement[] | ((dialect: Dialect) => readonly Statement[]);
}

/**
 * Runs the steps that are missing, all of them or none. If several processes do so at once, the first does it for all. Steps in the
 * database that this program does not know belong to a later version, which runs beside it.
 * @throws {MigrationError} when a step does not match what the database has had, or is refused
 */
export async function migrate(driver: Driver, lists: readonly Migrations[]): Promise<void> {
  await driver.transaction(
    async (query) => {
      await query(
        sql`create table if not exists migrations (owner text, number integer, name text not null, primary key (owner, number))`,
      );
      for (const list of lists) await takeSteps(list, { query, dialect: driver.dialect });
    },
    { alone: true },
  );
}

/** Runs the missing steps of one owner. */
async function takeSteps(
  { owner, steps }: Migrations,
  { query, dialect }: Pick<Driver, 'query' | 'dialect'>,
): Promise<void> {
  const taken = new Map(
    (await query(sql`select number, name from migrations where owner = ${owner}`)).map(
      ({ number, name }) => [number, String(name)] as const,
    ),
  );
  for (const [index, { name, statements }] of steps.entries()) {
    const number = index + 1;
    const known = taken.get(number);
    if (known === name) continue;
    if (known !== undefined)
      throw new MigrationError(
        `migration ${number} of ${owner} is "${name}", but this database has been through one called "${known}". Never change or move a migration that has run: add another one.`,
      );
    try {
      for (const statement of typeof statements === 'function' ? statements(dialect) : statements)
        await query(statement);
    } catch (error) {
      if (!(error instanceof Error) || 'reason' in error) throw error;
      throw new MigrationError(`migration ${number} of ${owner} ("${name}"): ${error.message}`, {
        cause: error,
      });
    }
    await query(sql`insert into migrations (owner, number, name) values (${owner}, ${number}, ${name})`);
  }
}
