/** Both kinds of database for one set of tests: where each is, and how it is taken away and given back. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe } from '@jest/globals';
import { hasPostgres, startPostgres } from './postgres.ts';
import type { Sandbox } from './process.ts';
import { hasTime } from './reduced.mjs';

/** Databases of one kind. */
export interface TestDatabases {
  /** An empty one, as `DATABASE_URL` names it. */
  create(): Promise<string>;
  /** Takes all of them away, as a crash or a lost disk does. */
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
}

/** The kinds. */
const KINDS: readonly { readonly kind: string; start(sandbox: Sandbox): Promise<TestDatabases> }[] = [
  { kind: 'SQLite', start: startSqlite },
  { kind: 'PostgreSQL', start: startServer },
];

/**
 * Describes tests for each kind; those of a server that is not installed are skipped. What differs between the kinds is always
 * tested with both; where there is less time than in CI, what stands upon that is tested with SQLite.
 */
export function describeForBoth(
  name: string,
  tests: (start: (sandbox: Sandbox) => Promise<TestDatabases>) => void,
  { always = false } = {},
): void {
  const withServer = hasPostgres && (always || hasTime);
  for (const { kind, start } of KINDS) {
    const describeKind = kind === 'SQLite' || withServer ? describe : describe.skip;
    describeKind(`${name} (${kind})`, () => tests(start));
  }
}

/** Files in a folder. */
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
      // What lies there instead keeps the folder from being made anew.
      await writeFile(folder, '');
    },
    async giveBack() {
      await rm(folder);
      await rename(hidden, folder);
    },
  };
}

/** Databases of a server. */
async function startServer(sandbox: Sandbox): Promise<TestDatabases> {
  const postgres = await startPostgres(sandbox);
  return {
    create: async () => postgres.createDatabase(),
    takeAway: postgres.crash,
    giveBack: postgres.start,
  };
}
