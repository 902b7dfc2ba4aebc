/** Runs one set of tests on both kinds of database: creates databases, takes them away and gives them back. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe } from '@jest/globals';
import { hasPostgres, startPostgres } from './postgres.ts';
import type { Sandbox } from './process.ts';
import { hasTime } from './reduced.mjs';

/** A source of databases of one kind. */
export interface TestDatabases {
  /** Creates an empty database; returns its `DATABASE_URL`. */
  create(): Promise<string>;
  /** Makes all of them unreachable, as a crash or a lost disk does. */
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
}

/** The kinds of database. */
const KINDS: readonly { readonly kind: string; start(sandbox: Sandbox): Promise<TestDatabases> }[] = [
  { kind: 'SQLite', start: startSqlite },
  { kind: 'PostgreSQL', start: startServer },
];

/** Describes tests for each kind. PostgreSQL's are left to CI, and skipped where it is not installed. */
export function describeForBoth(
  name: string,
  tests: (start: (sandbox: Sandbox) => Promise<TestDatabases>) => void,
): void {
  const withServer = hasPostgres && hasTime;
  for (const { kind, start } of KINDS) {
    const describeKind = kind === 'SQLite' || withServer ? describe : describe.skip;
    describeKind(`${name} (${kind})`, () => tests(start));
  }
}

/** SQLite files in a folder. */
async function startSqlite(sandbox: Sandbox): Promise<TestDatabases> {
  const parent = await sandbox.folder();
  const [folder, hidden] = [path.join(parent, 'data'), path.join(parent, 'hidden')];
  let made = 0;
  return {
    async create() {
      made += 1;
      return `sqlite:${path.join(folder, `${made}.db`)}`;
    },
    async takeAway() {
      await mkdir(folder, { recursive: true });
      await rename(folder, hidden);
      // A file in its place keeps the folder from being created anew.
      await writeFile(folder, '');
    },
    async giveBack() {
      await rm(folder);
      await rename(hidden, folder);
    },
  };
}

/** Databases of a PostgreSQL server. */
async function startServer(sandbox: Sandbox): Promise<TestDatabases> {
  const postgres = await startPostgres(sandbox);
  return {
    create: async () => postgres.createDatabase(),
    takeAway: postgres.crash,
    giveBack: postgres.start,
  };
}
