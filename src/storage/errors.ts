/** What goes wrong with a database, the same for both kinds. None of it holds a value, an address or a password. */
import { ToolError } from '../mcp/tool.ts';

/**
 * Nothing that the caller has done wrong, or can mend by calling otherwise. A tool that lets it through ends with these words for the model;
 * the other calls go on.
 */
export class StorageUnavailable extends ToolError {
  /**
   * `unreachable`: it is not there. `unsure`: it was lost before it said whether it has written something. `busy`: it is there, and
   * others were in the way for too long. `unstorable`: no database keeps such a value.
   */
  readonly code: 'unreachable' | 'unsure' | 'busy' | 'unstorable';
  /** For the log of whoever runs the server: `ECONNREFUSED`, `28P01`, `SQLITE_CANTOPEN`. */
  readonly reason: string | undefined;

  constructor(code: StorageUnavailable['code'], message: string, reason?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** A row that a constraint refuses. Whoever knows what it means catches it; else it is a fault of the program. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError';
  /** `unique`: such a row is there already. */
  readonly constraint: 'unique' | 'other';

  constructor(constraint: ConstraintError['constraint'], message: string) {
    super(message);
    this.constraint = constraint;
  }
}

/** A statement that the database does not take: a fault of the program. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
}

/** Steps that do not fit what the database has been through, or that it refuses: the start ends with it. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Why something failed, for the log; of an error that is not ours only its name, as its fields may hold the address with the password. */
export function reasonOf(error: unknown): string {
  if (error instanceof StorageUnavailable) return error.reason ?? error.code;
  if (error instanceof StatementError || error instanceof MigrationError) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}

/** The database is not there. */
export function unreachable(reason: string): StorageUnavailable {
  const words = 'The database cannot be reached at the moment. Nothing else is wrong: try again in a minute.';
  return new StorageUnavailable('unreachable', words, reason);
}

/** The database was lost before it said whether it has written something: done again at once, it may be done twice. */
export function unsure(reason: string): StorageUnavailable {
  const words =
    'The database was lost at the last moment: this may be written, or not. Look what is there before it is done again.';
  return new StorageUnavailable('unsure', words, reason);
}

/** The database is there, and something took too long. */
export function busy(reason: string): StorageUnavailable {
  return new StorageUnavailable('busy', 'The database is busy: try again in a moment.', reason);
}
