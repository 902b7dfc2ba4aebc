/** SQLite behind the port: a file that this process opens, and other processes may. */
import { type Stats, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Driver } from './database.ts';
import { StatementError, StorageUnavailable, unreachable } from './errors.ts';
import { fromSqlite, isBusy } from './sqlite-errors.ts';
import {
  loadSqlite,
  type SqliteConnection,
  type SqliteLibrary,
  type SqliteStatement,
} from './sqlite-library.ts';
import { type Row, spell, type Statement } from './statement.ts';
import { END_MS, TransactionWork } from './transaction-work.ts';
import { Turns } from './turns.ts';

/** So long a transaction may take, and what waits for its turn and for another process. Milliseconds. */
const LIMIT_MS = 10_000;

/** A whole list of migrations may take longer. Milliseconds. */
const ALONE_LIMIT_MS = 120_000;

/** The pause before it is asked again whether another process has ended its transaction. Milliseconds. */
const BUSY_PAUSE_MS = 10;

/** So often it is looked whether the file is still the one that was opened: what goes into a deleted one is lost. Milliseconds. */
const FILE_CHECK_MS = 1_000;

/** So many prepared statements are kept. */
const MAX_PREPARED = 200;

/** How the file is used: readers and a writer at once, foreign keys as PostgreSQL has them; who waits, waits in {@link patiently}. */
const PRAGMAS = `
  pragma busy_timeout = 0;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma foreign_keys = on;`;

const PROBE: Statement = { texts: ['select count(*) from sqlite_master'], values: [] };
/** At once for writing: one that turns to it later could find that another process has been there. */
const BEGIN: Statement = { texts: ['begin immediate'], values: [] };
const COMMIT: Statement = { texts: ['commit'], values: [] };

/** Makes the driver of a file; the library is loaded here and nowhere else. */
export async function createSqliteDriver(file: string): Promise<Driver> {
  return new SqliteDriver(file, await loadSqlite());
}

/** A file that is open. */
interface OpenFile {
  readonly connection: SqliteConnection;
  readonly prepared: Map<string, SqliteStatement>;
  readonly stats: Stats;
  checkedAtMs: number;
}

/** The driver. */
class SqliteDriver implements Driver {
  readonly dialect = 'sqlite';
  readonly #file: string;
  readonly #library: SqliteLibrary;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  readonly #cut = new AbortController();
  #open: OpenFile | undefined;
  /** Whether there was no such file before. */
  #isNew = false;

  constructor(file: string, library: SqliteLibrary) {
    this.#file = file;
    this.#library = library;
  }

  async connect(): Promise<void> {
    await this.#turns.take(async () =>
      this.#reporting(async () => {
        this.#requireWanted();
        if (this.#open === undefined) await this.#openFile();
        else this.#run(PROBE);
      }),
    );
  }

  facts(): Readonly<Record<string, unknown>> {
    return { file: this.#file, isNew: this.#isNew };
  }

  async query(statement: Statement): Promise<readonly Row[]> {
    const patient = this.#patientFor(LIMIT_MS);
    return this.#turns.take(async () => this.#reporting(async () => patient(() => this.#run(statement))));
  }

  async transaction<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    { alone = false }: { readonly alone?: boolean } = {},
  ): Promise<Result> {
    const limitMs = alone ? ALONE_LIMIT_MS : LIMIT_MS;
    const patient = this.#patientFor(limitMs);
    return this.#turns.take(async () => {
      await this.#reporting(async () => {
        this.#requireWanted();
        await patient(() => this.#run(BEGIN));
      });
      const within = new TransactionWork(async (statement) =>
        this.#reporting(async () => this.#run(statement)),
      );
      try {
        const result = await within.finish(work, { limitMs, cut: this.#cut.signal });
        await this.#reporting(async () => this.#patientFor(LIMIT_MS)(() => this.#run(COMMIT)));
        return result;
      } catch (error) {
        // Some errors have ended it already, or closed the file.
        if (this.#open !== undefined && !rollBack(this.#open.connection)) this.#closeFile();
        throw error;
      }
    });
  }

  /** What has its turn is done, unless it takes too long; what waits for another process is not waited for. */
  async close(): Promise<void> {
    this.#closing.abort();
    const timer = setTimeout(() => this.#cut.abort(), END_MS);
    await this.#turns.takeAnyway(() => {
      if (this.#open !== undefined) this.#makeWhole(this.#open);
      this.#closeFile();
    });
    clearTimeout(timer);
  }

  async #openFile(): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    this.#isNew = statSync(this.#file, { throwIfNoEntry: false }) === undefined;
    const connection = new this.#library.DatabaseSync(this.#file);
    try {
      await this.#patientFor(LIMIT_MS)(() => connection.exec(PRAGMAS));
      const stats = statSync(this.#file);
      this.#open = { connection, prepared: new Map(), stats, checkedAtMs: performance.now() };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Runs a statement at once. */
  #run(statement: Statement): readonly Row[] {
    const { connection, prepared } = this.#requireOpen();
    const text = spell(statement, () => '?');
    let ready = prepared.get(text);
    if (ready === undefined) {
      // The library runs the first and leaves out what comes after it; PostgreSQL refuses both.
      if (isSeveral(text)) throw new StatementError('More than one statement at once.');
      ready = connection.prepare(text);
      if (prepared.size >= MAX_PREPARED) prepared.clear();
      prepared.set(text, ready);
    }
    return ready.all(...statement.values);
  }

  /** The file, if it is open and still in its place. */
  #requireOpen(): OpenFile {
    const open = this.#open;
    if (open === undefined) throw unreachable('closed');
    const nowMs = performance.now();
    if (nowMs - open.checkedAtMs >= FILE_CHECK_MS) {
      const found = statSync(this.#file, { throwIfNoEntry: false });
      if (found?.ino !== open.stats.ino || found.dev !== open.stats.dev) throw unreachable('file_gone');
      open.checkedAtMs = nowMs;
    }
    return open;
  }

  /**
   * Brings everything into the file itself, so that a copy of it is a copy of all, and takes `-wal` and `-shm` away: a last close does
   * that, but the package for Node 20 keeps the file until the last statement is collected. Where others have it open, their last does it.
   */
  #makeWhole({ connection, stats }: OpenFile): void {
    try {
      // The companions of another file in its place are that file's.
      if (statSync(this.#file, { throwIfNoEntry: false })?.ino !== stats.ino) return;
      if (rollBack(connection))
        connection.exec('pragma wal_checkpoint(truncate); pragma journal_mode = delete');
    } catch {
      // Nothing is lost: what is in the companions is read by whoever opens the file next.
    }
  }

  /** Closes it. A transaction ends before: the package for Node 20 would keep it, and its lock, until the last statement is collected. */
  #closeFile(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    rollBack(open.connection);
    open.connection.close();
  }

  /** Refuses what would begin while this ends. */
  #requireWanted(): void {
    if (this.#closing.signal.aborted) throw unreachable('closed');
  }

  /** Tries something again while another process is in the way, for a time that begins here: what waits for its turn is in it. */
  #patientFor(limitMs: number): <Result>(work: () => Result) => Promise<Result> {
    const untilMs = performance.now() + limitMs;
    return async (work) => patiently({ untilMs, signal: this.#closing.signal }, work);
  }

  /** Does something; errors become those of the port, and a file that cannot be used any more is closed. */
  async #reporting<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const known = fromSqlite(error);
      if (known instanceof StorageUnavailable && known.code === 'unreachable') this.#closeFile();
      throw known;
    }
  }
}

/** Ends a transaction, if there is one; false when the file does not even let it do that. */
function rollBack(connection: SqliteConnection): boolean {
  try {
    if (connection.isTransaction) connection.exec('rollback');
    return true;
  } catch {
    return false;
  }
}

/** Tries something again while another process is in the way; the library's own waiting would stop this one. */
async function patiently<Result>(
  { untilMs, signal }: { readonly untilMs: number; readonly signal: AbortSignal },
  work: () => Result,
): Promise<Result> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || signal.aborted || performance.now() >= untilMs) throw error;
      await delay(BUSY_PAUSE_MS);
    }
  }
}

/** Whether a text holds more than one statement, apart from what a trigger does. */
function isSeveral(text: string): boolean {
  const bare = text.replaceAll(/'[^']*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\//g, '');
  return /;\s*\S/.test(bare) && !/^\s*create\s+trigger\b/i.test(bare);
}
