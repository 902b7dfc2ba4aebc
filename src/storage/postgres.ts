/** PostgreSQL behind the port. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ClientBase, Pool, PoolClient, QueryConfig } from 'pg';
import type { Driver, StopListening } from './database.ts';
import { reasonOf, StorageUnavailable, unsure } from './errors.ts';
import { fromPostgres, isInTheWay } from './postgres-errors.ts';
import { listenToPostgres } from './postgres-notices.ts';
import { type Row, spell, type Statement } from './statement.ts';
import { END_MS, TransactionWork } from './transaction-work.ts';

/** So many connections a process has at the most; small servers allow some twenty in all. */
const MAX_CONNECTIONS = 10;

/** So long a connection is waited for, and a first answer: less than a service may take to say whether it is ready. Milliseconds. */
const CONNECT_MS = 1_500;

/** So long a statement, or a transaction, may take; a server that hangs is noticed by it. Milliseconds. */
const LIMIT_MS = 10_000;

/** A whole list of migrations may take longer, and so may the wait for another process that takes them. Milliseconds. */
const ALONE_LIMIT_MS = 120_000;

/** The longest pause before a transaction that was in the way of others is begun anew; by chance a shorter one. Milliseconds. */
const MAX_PAUSE_MS = 50;

/** As SQLite has it: as if one came after the other. */
const BEGIN: Statement = { texts: ['begin isolation level serializable'], values: [] };
/** Not serializable: its snapshot would be older than what whoever was before has done. */
const BEGIN_ALONE: Statement = { texts: ['begin'], values: [] };
const NO_LIMIT: Statement = { texts: ['set local statement_timeout = 0'], values: [] };
/** A number that all processes agree on. */
const LOCK: Statement = { texts: ['select pg_advisory_xact_lock(7021953)'], values: [] };
const COMMIT: Statement = { texts: ['commit'], values: [] };
const ROLLBACK: Statement = { texts: ['rollback'], values: [] };
const PROBE: Statement = { texts: ['select 1'], values: [] };

/** Makes the driver of a database; the package is loaded here and nowhere else. */
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
    // Idle connections keep no process alive that has nothing else to do.
    allowExitOnIdle: true,
  });
  // Of idle connections that break: the pool makes others.
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
  /** Those that are connected. */
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
      // Sent, and not answered: it may be done as soon as a server that hangs goes on.
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

  /** The pool's end waits for everybody who has a client: ten seconds, and two minutes where tables are brought to where they should be. */
  #cutWhatIsLeft(): void {
    this.#cut.abort();
    // The pool's types leave out that a client has an end of its own: of a statement at work, it is the end of the connection.
    for (const client of this.#clients) void (client as PoolClient & Client).end().catch(ignore);
  }

  /** One try: the result, or what is thrown, and what is behind that. */
  async #transactOnce<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    alone: boolean,
  ): Promise<{ readonly result: Result } | { readonly error: unknown; readonly failure: unknown }> {
    const limitMs = alone ? ALONE_LIMIT_MS : LIMIT_MS;
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw fromPostgres(error);
    });
    // Of one that breaks between two statements; without somebody who hears it, it would end the process.
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
      // One that may still be at work, or has lost its server, is not used again.
      client.release(isBroken);
    }
  }
}

/** Runs a statement; one at a time, as SQLite has it, hence the extended protocol. */
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

/** Types of PostgreSQL, by their numbers, that SQLite has otherwise than as texts. */
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
