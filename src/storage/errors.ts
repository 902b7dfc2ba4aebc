/** The errors of a database, the same for both kinds. None of them contains a value, an address or a password. */
import { ToolError } from '../mcp/tool.ts';

/**
 * An error that the caller has not caused and cannot avoid by calling otherwise. If a tool does not catch it, its call ends with these
 * words for the model; other calls go on.
 */
export class StorageUnavailable extends ToolError {
  /**
   * `unreachable`: the database is not there. `unsure`: it was lost before it said whether it has written something. `busy`: it is there,
   * but others were in the way for too long. `unstorable`: no database can store such a value.
   */
  readonly code: 'unreachable' | 'unsure' | 'busy' | 'unstorable';
  /** The reason for the operator's log: `ECONNREFUSED`, `28P01`, `SQLITE_CANTOPEN`. */
  readonly reason: string | undefined;

  constructor(code: StorageUnavailable['code'], message: string, reason?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** A constraint refuses a row. Code that knows what that means catches it; otherwise it is a fault of the program. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError';
  /** `unique`: such a row is there already. */
  readonly constraint: 'unique' | 'other';

  constructor(constraint: ConstraintError['constraint'], message: string) {
    super(message);
    this.constraint = constraint;
  }
}

/** The database refuses a statement: a fault of the program. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
}

/** The migration steps do not match those that the database has had, or the database refuses one: the start fails. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Why something failed, for the log. Of an error that is not ours only its name, as its fields may contain the address with the password. */
export function reasonOf(error: unknown): string {
  if (error instanceof StorageUnavailable) return error.reason ?? error.code;
  if (error instanceof StatementError || error instanceof MigrationError) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}

/** Makes the error of a database that is not there. */
export function unreachable(reason: string): StorageUnavailable {
  const words = 'The database cannot be reached at the moment. Nothing else is wrong: try again in a minute.';
  return new StorageUnavailable('unreachable', words, reason);
}

/** Makes the error of a database that was lost before it said whether it has written something: repeated at once, it may be done twice. */
export function unsure(reason: string): StorageUnavailable {
  const words =
    'The database was lost before it confirmed the change, which may be written or not. Check what is there before you make it again.';
  return new StorageUnavailable('unsure', words, reason);
}

/** Makes the error of a database that is there, when something took too long. */
export function busy(reason: string): StorageUnavailable {
  return new StorageUnavailable('busy', 'The database is busy: try again in a moment.', reason);
}
