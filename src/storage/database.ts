/** The port: a database as tools, features and the token set use it, whichever kind it is. */
import type { z } from 'zod';
import type { Row, Statement } from './statement.ts';

/** Runs statements. */
export interface Sql {
  /**
   * Runs a statement. Returns its rows, those of `returning` too.
   * @throws {StorageUnavailable} when the database is not there: a tool need not catch it
   * @throws {ConstraintError} when there is such a row already, or a row refers to one that does not exist
   */
  query(statement: Statement): Promise<readonly Row[]>;
  /** The same, with each row parsed by a schema. */
  select<Shape>(shape: z.ZodType<Shape>, statement: Statement): Promise<readonly Shape[]>;
}

/** A database. */
export interface Database extends Sql {
  readonly dialect: Dialect;
  /**
   * Runs several statements as one: all of them, or none when `work` rejects. Transactions behave as if one came after the other. When two
   * conflict, one is run again, so `work` must do nothing but read and change the database, and must not take long.
   */
  transaction<Result>(work: (within: Sql) => Promise<Result>): Promise<Result>;
  /** Whether the database can be used at the moment. */
  isReady(): Promise<boolean>;
  /**
   * Calls `onNotice` when any process runs `select pg_notify(channel, '')`, and once when it begins to listen. Returns undefined if this
   * kind of database has no such thing.
   */
  listen(channel: string, onNotice: () => void): StopListening | undefined;
  close(): Promise<void>;
}

/** Stops listening. */
export type StopListening = () => Promise<void>;

/** The kinds of database. Nearly all SQL is the same for both; the order of texts and `like` are not. */
export type Dialect = 'sqlite' | 'postgres';

/** The part of a {@link Database} that differs between the kinds of database. Rejects as {@link Sql} does. */
export interface Driver {
  readonly dialect: Dialect;
  /** Connects to the database, or checks the connection. */
  connect(): Promise<void>;
  /** What the log says of the database once it is connected: which one it is, without a password. */
  facts?(): Readonly<Record<string, unknown>>;
  query(statement: Statement): Promise<readonly Row[]>;
  /** `alone`: it waits for every other transaction that is `alone`, of any process. */
  transaction<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    options?: { readonly alone?: boolean },
  ): Promise<Result>;
  listen?(channel: string, onNotice: () => void): StopListening;
  close(): Promise<void>;
}
