/** A database that may be away: it is connected to at the start and again after a loss; meanwhile calls fail at once. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Database, Driver, StopListening, Sql } from './database.ts';
import { MigrationError, reasonOf, StorageUnavailable, unreachable } from './errors.ts';
import { migrate, type Migrations } from './migrations.ts';
import { type Row, sql, type Statement } from './statement.ts';

/** What a live database is made from. */
export interface LiveDatabaseParts {
  readonly driver: Driver;
  readonly migrations: readonly Migrations[];
  readonly log: Logger;
  /** A monotonic clock. Milliseconds. */
  readonly now?: () => number;
}

/** How often the log repeats that the database cannot be reached. Milliseconds. */
const REPORT_MS = 60_000;

/** The first and the longest pause between two tries. Milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2_000];

/** How long an answer of `isReady` is used: `/ready` is open to everybody. Milliseconds. */
const READY_MS = 1_000;

/** The errors of a call after which the database is looked for. */
const LOST: ReadonlySet<StorageUnavailable['code']> = new Set(['unreachable', 'unsure']);

/** How long the start waits for the database before it goes on without it: one that is there answers sooner. Milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * Opens the database of a driver. A server starts also when it cannot be reached.
 * @throws {MigrationError} when it is there and cannot be migrated
 */
export async function openLiveDatabase(parts: LiveDatabaseParts): Promise<Database> {
  const database = new LiveDatabase(parts);
  const timer = new AbortController();
  const enough = delay(PATIENCE_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    await Promise.race([database.look(), enough]);
  } catch (error) {
    await database.close();
    throw error;
  } finally {
    database.isOpening = false;
    timer.abort();
  }
  return database;
}

/** The database. */
class LiveDatabase implements Database {
  /** Whether the start still waits, and can be ended by an error. */
  isOpening = true;
  readonly dialect: Driver['dialect'];
  readonly #parts: LiveDatabaseParts;
  readonly #now: () => number;
  /** Set within a transaction: a call of the database itself would wait for that transaction for ever, so it is refused. */
  readonly #inside = new AsyncLocalStorage<true>();
  readonly #closed = new AbortController();
  #isUp = false;
  /** Why it is not up, as the last look has found. */
  #reason = 'away';
  #wasEverUp = false;
  #reportedAtMs = -Infinity;
  #looking: Promise<void> | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #asking: Promise<boolean> = Promise.resolve(true);
  #askedAtMs = -Infinity;
  #ended: Promise<void> | undefined;

  constructor(parts: LiveDatabaseParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.dialect = parts.driver.dialect;
  }

  async query(statement: Statement): Promise<readonly Row[]> {
    return this.#use(async () => this.#parts.driver.query(statement));
  }

  async select<Shape>(shape: z.ZodType<Shape>, statement: Statement): Promise<readonly Shape[]> {
    return (await this.query(statement)).map((row) => shape.parse(row));
  }

  async transaction<Result>(work: (within: Sql) => Promise<Result>): Promise<Result> {
    const { driver } = this.#parts;
    return this.#use(async () =>
      driver.transaction(async (query) => this.#inside.run(true, work, createSql(query))),
    );
  }

  async isReady(): Promise<boolean> {
    if (this.#isUp && this.#now() - this.#askedAtMs >= READY_MS) {
      this.#askedAtMs = this.#now();
      // A failure starts the look for the database, see `#use`. A busy database is there.
      this.#asking = this.#use(async () => this.#parts.driver.query(sql`select 1`)).then(
        () => true,
        (error: unknown) => error instanceof StorageUnavailable && error.code === 'busy',
      );
    }
    return this.#isUp && (await this.#asking);
  }

  listen(channel: string, onNotice: () => void): StopListening | undefined {
    return this.#parts.driver.listen?.(channel, onNotice);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    [this.#isUp, this.#reason] = [false, 'closed'];
    await (this.#ended ??= this.#parts.driver.close());
  }

  /**
   * Looks for the database, and goes on looking until it is there.
   * @throws {MigrationError} while it is being opened
   */
  async look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Connects once, and migrates: the database that comes back need not be the one that was lost. */
  async #lookOnce(): Promise<void> {
    const { driver, migrations, log } = this.#parts;
    try {
      await driver.connect();
      await migrate(driver, migrations);
    } catch (error) {
      this.#isUp = false;
      if (this.#closed.signal.aborted) return;
      this.#reason = reasonOf(error);
      if (error instanceof MigrationError && this.isOpening) throw error;
      this.#report(error);
      void this.#lookLater().catch(() => undefined);
      return;
    }
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#isUp || this.#closed.signal.aborted) return;
    const facts = { dialect: this.dialect, ...driver.facts?.() };
    log.info(facts, this.#wasEverUp ? 'database is back' : 'database reached');
    [this.#isUp, this.#wasEverUp, this.#reportedAtMs] = [true, true, -Infinity];
  }

  /** Looks again after a pause that grows from one to the next. */
  async #lookLater(): Promise<void> {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    await delay(pauseMs, undefined, { ref: false, signal: this.#closed.signal });
    await this.look();
  }

  /** Runs some work on the database; if the database turns out to be away, the look for it starts. */
  async #use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#inside.getStore() === true)
      throw new Error(
        'Inside a transaction, query the object that it hands you: the database itself would wait for the end of the transaction.',
      );
    if (!this.#isUp) throw unreachable(this.#reason);
    try {
      return await work();
    } catch (error) {
      // The first of several failing calls starts the look. A look that fails starts the next one itself.
      if (this.#isUp && error instanceof StorageUnavailable && LOST.has(error.code))
        void this.look().catch(() => undefined);
      throw error;
    }
  }

  /** Logs why the database is away, once a minute at most. */
  #report(error: unknown): void {
    const nowMs = this.#now();
    if (nowMs - this.#reportedAtMs < REPORT_MS) return;
    this.#reportedAtMs = nowMs;
    const { log } = this.#parts;
    if (error instanceof StorageUnavailable) log.warn({ reason: error.reason }, 'database cannot be reached');
    else log.error({ reason: reasonOf(error) }, 'database cannot be used');
  }
}

/** Runs statements within a transaction. */
function createSql(query: Driver['query']): Sql {
  return {
    query,
    select: async (shape, statement) => (await query(statement)).map((row) => shape.parse(row)),
  };
}
