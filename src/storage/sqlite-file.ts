/** One open SQLite file: how it is set up, its prepared statements, whether it is still in its place, and how it is left behind. */
import { type Stats, statSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { StatementError, unreachable } from './errors.ts';
import type { SqliteConnection, SqliteLibrary, SqliteStatement } from './sqlite-library.ts';
import { type Row, spell, type Statement } from './statement.ts';

/** How often it is checked that the path still leads to the file that was opened: what is written to a deleted one is lost. Milliseconds. */
const FILE_CHECK_MS = 1_000;

/** How many prepared statements are kept. */
const MAX_PREPARED = 200;

/** Readers and one writer at once; foreign keys as in PostgreSQL; SQLite itself never waits, its caller retries. */
const PRAGMAS = `
  pragma busy_timeout = 0;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma foreign_keys = on;`;

/** Opens a file, with its folder. A new file is for its owner only. `patient` retries while another process holds the file. */
export async function openSqliteFile(
  file: string,
  { DatabaseSync }: SqliteLibrary,
  patient: (work: () => void) => Promise<void>,
): Promise<SqliteFile> {
  await mkdir(path.dirname(file), { recursive: true });
  const isNew = statSync(file, { throwIfNoEntry: false }) === undefined;
  if (isNew) await createForOwner(file);
  const connection = new DatabaseSync(file);
  try {
    await patient(() => connection.exec(PRAGMAS));
    return new SqliteFile(file, connection, isNew);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Creates an empty file that only its owner can read: SQLite would let everybody on the machine read what it holds, digests of tokens among it.
 * The files beside it get the same mode from SQLite.
 */
async function createForOwner(file: string): Promise<void> {
  // What keeps the file from being created, SQLite says in its own words.
  const handle = await open(file, 'a', 0o600).catch(() => undefined);
  await handle?.close();
}

/** An open SQLite file. */
export class SqliteFile {
  /** Whether the file did not exist before. */
  readonly isNew: boolean;
  readonly #file: string;
  readonly #connection: SqliteConnection;
  readonly #prepared = new Map<string, SqliteStatement>();
  readonly #stats: Stats;
  #checkedAtMs = performance.now();

  constructor(file: string, connection: SqliteConnection, isNew: boolean) {
    this.#file = file;
    this.#connection = connection;
    this.isNew = isNew;
    this.#stats = statSync(file);
  }

  /**
   * Runs a statement at once.
   * @throws {StorageUnavailable} when another file, or none, is in the place of this one
   */
  run(statement: Statement): readonly Row[] {
    this.#requireInPlace();
    const text = spell(statement, () => '?');
    let prepared = this.#prepared.get(text);
    if (prepared === undefined) {
      // The library runs the first and leaves out what comes after it; PostgreSQL refuses both.
      if (isSeveral(text)) throw new StatementError('Run one statement at a time.');
      prepared = this.#connection.prepare(text);
      if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
      this.#prepared.set(text, prepared);
    }
    return prepared.all(...statement.values);
  }

  /** Rolls back the transaction, if there is one; false if the file does not even allow that. */
  rollBack(): boolean {
    try {
      if (this.#connection.isTransaction) this.#connection.exec('rollback');
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Writes everything into the file itself, so that a copy of it is complete, and removes `-wal` and `-shm`. The last close does that by
   * itself, but the package for Node 20 keeps the file open until the last statement is collected. While other processes have the file open,
   * their last close does it.
   */
  makeWhole(): void {
    try {
      // The companions of another file in its place are that file's.
      if (statSync(this.#file, { throwIfNoEntry: false })?.ino !== this.#stats.ino) return;
      if (this.rollBack())
        this.#connection.exec('pragma wal_checkpoint(truncate); pragma journal_mode = delete');
    } catch {
      // Nothing is lost: SQLite reads the companion files the next time that the file is opened.
    }
  }

  /** Rolls back the transaction and closes the file: the package for Node 20 would keep it, and its lock, until the last statement is collected. */
  close(): void {
    this.rollBack();
    this.#connection.close();
  }

  /** Refuses to go on when the path leads to another file, or to none. */
  #requireInPlace(): void {
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs < FILE_CHECK_MS) return;
    const found = statSync(this.#file, { throwIfNoEntry: false });
    if (found?.ino !== this.#stats.ino || found.dev !== this.#stats.dev) throw unreachable('file_gone');
    this.#checkedAtMs = nowMs;
  }
}

/** Whether a text holds more than one statement, apart from those within a trigger. */
function isSeveral(text: string): boolean {
  const bare = text.replaceAll(/'[^']*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\//g, '');
  return /;\s*\S/.test(bare) && !/^\s*create\s+trigger\b/i.test(bare);
}
