/** The port: a database as tools, features and the token set use it, whichever kind it is. */
import type { z } from 'zod';
import type { Row, Statement } from './statement.ts';

/** Runs statements. */
export interface Sql {
  /**
   * Runs a statement; its rows, those of `returning` too.
   * @throws {StorageUnavailable} when the database is not there: a tool lets it through
   * @throws {ConstraintError} when there is such a row already, or what a row refers to is not there
   */
  query(statement: Statement): Promise<readonly Row[]>;
  /** Likewise, with each row as a schema makes it. */
  select<Shape>(shape: z.ZodType<Shape>, statement: Statement): Promise<readonly Shape[]>;
}

/** A database. */
export interface Database extends Sql {
  readonly dialect: Dialect;
  /**
   * Runs several statements as one: all of them, or none when `work` rejects. Transactions are as if one came after the other; where two
   * are in each other's way, one is begun anew, so `work` does nothing but ask and change the database, and does not take long.
   */
  transaction<Result>(work: (within: Sql) => Promise<Result>): Promise<Result>;
  /** Whether it can be used at this moment. */
  isReady(): Promise<boolean>;
  /**
   * Hears when any process says `select pg_notify(channel, '')`, and once when it begins to hear. Undefined where the kind of database has
   * no such thing.
   */
  listen(channel: string, onNotice: () => void): StopListening | undefined;
  close(): Promise<void>;
}

/** Ends what has been listened to. */
export type StopListening = () => Promise<void>;

/** The kinds of database. Nearly all SQL is the same for both; `docs/03_LOCAL_DEVELOPMENT.md` says what is not. */
export type Dialect = 'sqlite' | 'postgres';

/** What each kind of database does in its own way; {@link Database} is made of it. Rejects as {@link Sql} does. */
export interface Driver {
  readonly dialect: Dialect;
  /** Makes it usable, or looks whether it still is. */
  connect(): Promise<void>;
  /** For the log, once it is there: which one it is, without a password. */
  facts?(): Readonly<Record<string, unknown>>;
  query(statement: Statement): Promise<readonly Row[]>;
  /** `alone`: after any other one that is, of whichever process. */
  transaction<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    options?: { readonly alone?: boolean },
  ): Promise<Result>;
  listen?(channel: string, onNotice: () => void): StopListening;
  close(): Promise<void>;
}
