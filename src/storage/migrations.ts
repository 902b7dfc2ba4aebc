/** Brings the tables of a database to where the program expects them: numbered steps in one list, each taken once. */
import type { Dialect, Driver } from './database.ts';
import { MigrationError } from './errors.ts';
import { sql, type Statement } from './statement.ts';

/** The steps of one owner, in their order. One that has been taken anywhere is never changed, moved or left out: add another. */
export interface Migrations {
  /** Whose they are; a database may have those of several. */
  readonly owner: string;
  readonly steps: readonly MigrationStep[];
}

/** One step. Its number is its place in the list, from 1. */
export interface MigrationStep {
  readonly name: string;
  readonly statements: readonly Statement[] | ((dialect: Dialect) => readonly Statement[]);
}

/**
 * Takes the steps that are missing, all of them or none. Of several processes that do so at once, the first does it for all. Steps that are
 * there and not known here are of a later version, which this one runs beside.
 * @throws {MigrationError} when a step does not fit, or is refused
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

/** Takes the missing steps of one owner. */
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
