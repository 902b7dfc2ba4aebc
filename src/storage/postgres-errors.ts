/** What the errors of PostgreSQL mean, and those of the package `pg`. */
import { busy, ConstraintError, StatementError, StorageUnavailable, unreachable } from './errors.ts';

/** Conditions of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const [SERIALIZATION_FAILURE, DEADLOCK, LOCK_NOT_AVAILABLE, CANCELED, UNIQUE] = ['40001', '40P01', '55P03', '57014', '23505']; // prettier-ignore
const IN_THE_WAY: ReadonlySet<string | undefined> = new Set([SERIALIZATION_FAILURE, DEADLOCK]);

/**
 * The states that mean that the database is away: no connection, no right to connect, no such database, out of resources, shutting down or
 * starting, disk failures, read-only after a failover.
 */
const AWAY = /^(08...|28...|3D000|53...|57P0[1-5]|58...|XX00[12]|25006)$/;

/** Errors of the package that have no code, and what stands for them in the log. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/connection timeout|timeout expired/i, 'ETIMEDOUT'],
  [/Query read timeout/, 'hangs'],
  [/Connection terminated|Connection ended|not queryable|encountered a connection error/i, 'ECONNRESET'],
  [/SSL|certificate|TLS/i, 'TLS'],
  [/password|SASL|SCRAM/i, 'password'],
  [/Cannot use a pool after calling end/, 'closed'],
];

/** The package's message when the wait for one of its connections is over: all are in use, and the database may be well. */
const ALL_IN_USE = 'timeout exceeded when trying to connect';

/** Whether two transactions conflicted, so that one of them must be run again. */
export function isInTheWay(error: unknown): boolean {
  return error instanceof StorageUnavailable && IN_THE_WAY.has(error.reason);
}

/** Converts an error to one of the port. */
export function fromPostgres(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StorageUnavailable) return error;
  // It has one error for each address that was tried.
  if (error instanceof AggregateError) return fromPostgres(error.errors[0]);
  const code = 'code' in error ? String(error.code) : '';
  if (/^[0-9A-Z]{5}$/.test(code) && 'severity' in error) return fromServer(code, error);
  if (error.message === ALL_IN_USE) return busy('connections');
  const words = WORDS.find(([pattern]) => pattern.test(error.message));
  if (words !== undefined) return unreachable(words[1]);
  return /^[A-Z][A-Z_]+$/.test(code) ? unreachable(code) : error;
}

/** Converts an error that the server has sent. */
function fromServer(state: string, error: Error): Error {
  if (AWAY.test(state)) return unreachable(state);
  if (IN_THE_WAY.has(state) || state === LOCK_NOT_AVAILABLE || state === CANCELED) return busy(state);
  if (state.startsWith('23')) {
    const constraint = 'constraint' in error ? String(error.constraint) : '';
    return new ConstraintError(
      state === UNIQUE ? 'unique' : 'other',
      `A row is refused (${state} ${constraint}).`,
    );
  }
  // Class 42 names parts of the statement; messages of other classes may quote values.
  return new StatementError(state.startsWith('42') ? error.message : `A statement is refused (${state}).`);
}
