/** SQLite behind the port: statements and transactions one after the other, and the wait for other processes that use the file. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Driver } from './database.ts';
import { StorageUnavailable, unreachable } from './errors.ts';
import { fromSqlite, isBusy } from './sqlite-errors.ts';
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts';
import { loadSqlite, type SqliteLibrary } from './sqlite-library.ts';
import { type Row, sql, type Statement } from './statement.ts';
import { END_MS, TransactionWork } from './transaction-work.ts';
import { Turns } from './turns.ts';

/** The longest that a transaction may take, with the wait for its turn and for other processes. Milliseconds. */
const LIMIT_MS = 10_000;

/** The same for a whole list of migrations. Milliseconds. */
const ALONE_LIMIT_MS = 120_000;

/** The pause before another try while another process holds the file. Milliseconds. */
const BUSY_PAUSE_MS = 10;

const PROBE = sql`select count(*) from sqlite_master`;
/** Takes the write lock at the beginning: a transaction that takes it later may find that another process has written in between. */
const BEGIN = sql`begin immediate`;
const COMMIT = sql`commit`;

/** Makes the driver of a file. SQLite is loaded here and nowhere else. */
export async function createSqliteDriver(file: string): Promise<Driver> {
  return new SqliteDriver(file, await loadSqlite());
}

/** The driver. */
class SqliteDriver implements Driver {
  readonly dialect = 'sqlite';
  readonly #file: string;
  readonly #library: SqliteLibrary;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  readonly #cut = new AbortController();
  #open: SqliteFile | undefined;
  /** Whether the file was made when it was last opened. */
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
        // Some errors have ended the transaction already, or closed the file.
        if (this.#open?.rollBack() === false) this.#closeFile();
        throw error;
      }
    });
  }

  /** Lets the work whose turn it is finish, unless it takes too long; work that waits for another process is given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    const timer = setTimeout(() => this.#cut.abort(), END_MS);
    await this.#turns.takeAnyway(() => {
      this.#open?.makeWhole();
      this.#closeFile();
    });
    clearTimeout(timer);
  }

  /** Opens the file. */
  async #openFile(): Promise<void> {
    const file = await openSqliteFile(this.#file, this.#library, this.#patientFor(LIMIT_MS));
    this.#open = file;
    this.#isNew = file.isNew;
  }

  /** Runs a statement at once. */
  #run(statement: Statement): readonly Row[] {
    if (this.#open === undefined) throw unreachable('closed');
    return this.#open.run(statement);
  }

  /** Closes the file, if it is open. */
  #closeFile(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.close();
  }

  /** Refuses to begin anything while the driver closes. */
  #requireWanted(): void {
    if (this.#closing.signal.aborted) throw unreachable('closed');
  }

  /** Retries while another process holds the file, within a time that begins with this call: the wait for a turn counts. */
  #patientFor(limitMs: number): <Result>(work: () => Result) => Promise<Result> {
    const untilMs = performance.now() + limitMs;
    return async (work) => patiently({ untilMs, signal: this.#closing.signal }, work);
  }

  /** Turns errors into those of the port, and closes a file that can no longer be used. */
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

/** Retries while another process holds the file. SQLite's own waiting would block this process. */
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
