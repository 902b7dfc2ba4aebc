/** PostgreSQL behind the port: a pool of connections, and serializable transactions. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ClientBase, Pool, PoolClient, QueryConfig } from 'pg';
import type { Driver, StopListening } from './database.ts';
import { reasonOf, StorageUnavailable, unsure } from './errors.ts';
import { fromPostgres, isInTheWay } from './postgres-errors.ts';
import { listenToPostgres } from './postgres-notices.ts';
import { type Row, spell, sql, type Statement } from './statement.ts';
import { END_MS, TransactionWork } from './transaction-work.ts';

/** The most connections that a process opens; small servers allow some twenty in all. */
const MAX_CONNECTIONS = 10;

/** How long a connection and its first answer are waited for: less than a service may take to say whether it is ready. Milliseconds. */
const CONNECT_MS = 1_500;

/** The longest that a statement, or a transaction, may take; this also detects a server that hangs. Milliseconds. */
const LIMIT_MS = 10_000;

/** The same for a whole list of migrations, with the wait for another process that runs them. Milliseconds. */
const ALONE_LIMIT_MS = 120_000;

/** The longest pause before a transaction that conflicted with another is repeated; the pause is random. Milliseconds. */
const MAX_PAUSE_MS = 50;

/** As in SQLite, transactions behave as if one came after the other. */
const BEGIN = sql`begin isolation level serializable`;
/** Not serializable: its snapshot would be taken before the lock, and miss the work of the process that held the lock before. */
const BEGIN_ALONE = sql`begin`;
const NO_LIMIT = sql`set local statement_timeout = 0`;
/** The number stands for this lock in all processes. */
const LOCK = sql`select pg_advisory_xact_lock(7021953)`;
const COMMIT = sql`commit`;
const ROLLBACK = sql`rollback`;
const PROBE = sql`select 1`;

/** Makes the driver of a database. The package is loaded here and nowhere else. */
export async function createPostgresDriver(url: string): Promise<Driver> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    query_timeout: LIMIT_MS,
    statement_timeout: LIMIT_MS,
    idle_in_transaction_session_timeout: LIMIT_MS,
    keepAlive: true,
    application_name: 'mcp server',
    types: { getTypeParser: (oid: number) => PARSERS[oid] ?? asText },
    // Idle connections do not keep the process alive.
    allowExitOnIdle: true,
  });
  // Idle connections may break: the pool makes new ones.
  pool.on('error', ignore);
  const createClient = (): Client =>
    new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      application_name: 'mcp server, listening',
    });
  return new PostgresDriver(pool, createClient);
}

/** The driver. */
class PostgresDriver implements Driver {
  readonly dialect = 'postgres';
  readonly #pool: Pool;
  readonly #createClient: () => Client;
  /** The clients that are connected. */
  readonly #clients = new Set<PoolClient>();
  readonly #cut = new AbortController();

  constructor(pool: Pool, createClient: () => Client) {
    this.#pool = pool;
    this.#createClient = createClient;
    pool.on('connect', (client) => void this.#clients.add(client));
    pool.on('remove', (client) => void this.#clients.delete(client));
  }

  async connect(): Promise<void> {
    await run(this.#pool, PROBE, CONNECT_MS);
  }

  async query(statement: Statement): Promise<readonly Row[]> {
    const reads = /^\s*select\b/i.test(statement.texts[0] ?? '');
    return run(this.#pool, statement).catch((error: unknown) => {
      // It was sent and not answered: a server that hangs may still execute it.
      throw !reads && ['hangs', 'ECONNRESET'].includes(reasonOf(error)) ? unsure(reasonOf(error)) : error;
    });
  }

  async transaction<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    { alone = false }: { readonly alone?: boolean } = {},
  ): Promise<Result> {
    const untilMs = performance.now() + LIMIT_MS;
    for (;;) {
      const outcome = await this.#transactOnce(work, alone);
      if ('result' in outcome) return outcome.result;
      if (!isInTheWay(outcome.failure) || performance.now() >= untilMs) throw outcome.error;
      await delay(Math.random() * MAX_PAUSE_MS);
    }
  }

  listen(channel: string, onNotice: () => void): StopListening {
    return listenToPostgres(this.#createClient, channel, onNotice);
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#cutWhatIsLeft(), END_MS);
    await this.#pool.end();
    clearTimeout(timer);
  }

  /** Cuts what still runs. The pool's end would wait for every client in use: ten seconds, or two minutes during migrations. */
  #cutWhatIsLeft(): void {
    this.#cut.abort();
    // The pool's types leave out that a client has an end() of its own. It ends the connection, with the statement that runs.
    for (const client of this.#clients) void (client as PoolClient & Client).end().catch(ignore);
  }

  /** Tries a transaction once. Returns its result, or the error to throw and the failure that caused it. */
  async #transactOnce<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    alone: boolean,
  ): Promise<{ readonly result: Result } | { readonly error: unknown; readonly failure: unknown }> {
    const limitMs = alone ? ALONE_LIMIT_MS : LIMIT_MS;
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw fromPostgres(error);
    });
    // A connection may break between two statements; without a listener, its error would end the process.
    client.on('error', ignore);
    let isBroken = false;
    const within = new TransactionWork(async (statement) => run(client, statement, limitMs));
    try {
      await run(client, alone ? BEGIN_ALONE : BEGIN);
      if (alone) {
        await run(client, NO_LIMIT);
        await run(client, LOCK, limitMs);
      }
      const result = await within.finish(work, { limitMs, cut: this.#cut.signal });
      await run(client, COMMIT).catch((error: unknown) => {
        const isLost = error instanceof StorageUnavailable && error.code === 'unreachable';
        throw isLost ? unsure(reasonOf(error)) : error;
      });
      return { result };
    } catch (error) {
      const failure = within.failure ?? error;
      isBroken = failure instanceof StorageUnavailable && !isInTheWay(failure);
      if (!isBroken) await run(client, ROLLBACK).catch(() => (isBroken = true));
      return { error, failure };
    } finally {
      client.off('error', ignore);
      // A connection that may still be busy, or is lost, is not used again.
      client.release(isBroken);
    }
  }
}

/** Runs a statement. The extended protocol allows only one at a time, as in SQLite. */
async function run(on: Pool | ClientBase, statement: Statement, limitMs = LIMIT_MS): Promise<readonly Row[]> {
  const config: QueryConfig & { readonly queryMode: 'extended'; readonly query_timeout: number } = {
    text: spell(statement, (number) => `$${number}`),
    values: [...statement.values],
    queryMode: 'extended',
    query_timeout: limitMs,
  };
  try {
    const { rows } = await on.query<Record<string, Row[string]>>(config);
    return rows;
  } catch (error) {
    throw fromPostgres(error);
  }
}

/** Parsers for the types of PostgreSQL, by their OIDs, whose values are not texts in SQLite. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  // boolean
  16: (text) => (text === 't' ? 1 : 0),
  // bytea: `\x` and hexadecimal digits
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')),
  // bigint, smallint, integer, oid, real, double precision, numeric: sums and counts are among them.
  20: Number,
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
  1700: Number,
};

/** A value as PostgreSQL writes it. */
function asText(text: string): string {
  return text;
}

/** Does nothing. */
function ignore(): void {}
