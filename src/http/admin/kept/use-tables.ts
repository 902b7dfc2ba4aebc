/** Counts of use as rows of a database, to which every process of a server adds its own counts. */
import { z } from 'zod';
import type { Database, Sql } from '../../../storage/database.ts';
import type { Migrations } from '../../../storage/migrations.ts';
import { inParts, rowsOf, sql, type Statement } from '../../../storage/statement.ts';
import { DAYS, MAX_NAMES, UseCounts } from '../use-counts.ts';

/** The tables of use. */
export const USE_TABLES: Migrations = {
  owner: 'use',
  steps: [
    {
      name: 'calls by day, last uses, and who has added them',
      statements: [
        sql`create table server_use_calls (day integer not null, user_id text not null, calls integer not null, primary key (day, user_id))`,
        sql`create table server_use_tokens (token_id text primary key, at_ms bigint not null)`,
        sql`create index server_use_tokens_by_time on server_use_tokens (at_ms)`,
        sql`create table server_use_writers (writer text primary key, batch integer not null, day integer not null)`,
      ],
    },
  ],
};

/** Counts that a process adds in one transaction. */
export interface UseBatch {
  /** Identifies the process. */
  readonly writer: string;
  /** Grows with each batch, so that a batch counts once even if it is sent again because nobody could tell whether it arrived. */
  readonly number: number;
  readonly today: number;
  readonly counts: UseCounts;
}

/** Adds a batch, all of it or nothing, without calls that are too old to be kept. */
export async function addUse(database: Database, { writer, number, today, counts }: UseBatch): Promise<void> {
  // All processes insert in the same order, or two of them could deadlock.
  const calls = [...counts.dayCalls()]
    .filter(({ userId, day }) => isStorable(userId) && day > today - DAYS)
    .toSorted((one, other) => one.day - other.day || compare(one.userId, other.userId));
  const uses = [...counts.uses()]
    .filter(({ tokenId }) => isStorable(tokenId))
    .toSorted((one, other) => compare(one.tokenId, other.tokenId));
  await database.transaction(async (within) => {
    const isNew = await within.query(
      sql`insert into server_use_writers (writer, batch, day) values (${writer}, ${number}, ${today}) on conflict (writer) do update set batch = excluded.batch, day = excluded.day where server_use_writers.batch < excluded.batch returning batch`,
    );
    if (isNew.length === 0) return;
    await insertInSlices(
      within,
      calls.map((row) => sql`(${row.day}, ${row.userId}, ${row.calls})`),
      (rows) =>
        sql`insert into server_use_calls (day, user_id, calls) values ${rows} on conflict (day, user_id) do update set calls = server_use_calls.calls + excluded.calls`,
    );
    await insertInSlices(
      within,
      uses.map((row) => sql`(${row.tokenId}, ${row.atMs})`),
      (rows) =>
        sql`insert into server_use_tokens (token_id, at_ms) values ${rows} on conflict (token_id) do update set at_ms = excluded.at_ms where server_use_tokens.at_ms < excluded.at_ms`,
    );
  });
}

/** Deletes counts that are older than the days that are kept, and last uses beyond a bound: a provider issues new tokens each hour. */
export async function dropOldUse(database: Sql, today: number): Promise<void> {
  const first = today - DAYS + 1;
  await database.query(sql`delete from server_use_calls where day < ${first}`);
  await database.query(sql`delete from server_use_writers where day < ${first}`);
  await database.query(sql`delete from server_use_tokens where at_ms < ${first * 86_400_000}`);
  await database.query(
    sql`delete from server_use_tokens where at_ms < (select at_ms from server_use_tokens order by at_ms desc limit 1 offset ${MAX_NAMES})`,
  );
}

const CALLS_ROW = z.object({ day: z.number(), user_id: z.string(), calls: z.number() });
const USE_ROW = z.object({ token_id: z.string(), at_ms: z.number() });

/** Reads the counts of all processes. */
export async function readUse(database: Sql, today: number): Promise<UseCounts> {
  const counts = new UseCounts();
  const calls = await database.select(
    CALLS_ROW,
    sql`select day, user_id, calls from server_use_calls where day > ${today - DAYS} order by day`,
  );
  for (const row of calls) counts.addCalls({ day: row.day, userId: row.user_id, calls: row.calls });
  const uses = await database.select(
    USE_ROW,
    sql`select token_id, at_ms from server_use_tokens order by at_ms desc limit ${MAX_NAMES}`,
  );
  for (const row of uses) counts.addUse({ tokenId: row.token_id, atMs: row.at_ms });
  return counts;
}

/** Inserts rows, a limited number in each statement. */
async function insertInSlices(
  within: Sql,
  rows: readonly Statement[],
  insert: (rows: Statement) => Statement,
): Promise<void> {
  for (const part of inParts(rows)) await within.query(insert(rowsOf(part)));
}

/** Whether a database can store a text: not if it contains NUL. */
function isStorable(text: string): boolean {
  return !text.includes('\0');
}

/** The order of two texts, the same on every machine. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
