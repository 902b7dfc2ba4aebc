/** What PostgreSQL's errors mean, and those of the package that speaks with it. */
import { busy, ConstraintError, StatementError, StorageUnavailable, unreachable } from './errors.ts';

/** Conditions of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const [SERIALIZATION_FAILURE, DEADLOCK, LOCK_NOT_AVAILABLE, CANCELED, UNIQUE] = ['40001', '40P01', '55P03', '57014', '23505']; // prettier-ignore
const IN_THE_WAY: ReadonlySet<string | undefined> = new Set([SERIALIZATION_FAILURE, DEADLOCK]);

/** No connection, no right to one, no such database, out of means, going down or starting, its disk, read-only after a switch-over. */
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

/** What the package says of a wait for one of its connections: all are in use, and the database may be well. */
const ALL_IN_USE = 'timeout exceeded when trying to connect';

/** Whether two transactions were in each other's way, so that one of them is to be begun anew. */
export function isInTheWay(error: unknown): boolean {
  return error instanceof StorageUnavailable && IN_THE_WAY.has(error.reason);
}

/** What the port makes of an error. */
export function fromPostgres(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StorageUnavailable) return error;
  // One for each address that was tried.
  if (error instanceof AggregateError) return fromPostgres(error.errors[0]);
  const code = 'code' in error ? String(error.code) : '';
  if (/^[0-9A-Z]{5}$/.test(code) && 'severity' in error) return fromServer(code, error);
  if (error.message === ALL_IN_USE) return busy('connections');
  const words = WORDS.find(([pattern]) => pattern.test(error.message));
  if (words !== undefined) return unreachable(words[1]);
  return /^[A-Z][A-Z_]+$/.test(code) ? unreachable(code) : error;
}

/** What it makes of what the server has said. */
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
  // Messages of other classes than this one, which names what stands in the statement, may quote values.
  return new StatementError(state.startsWith('42') ? error.message : `A statement is refused (${state}).`);
}
