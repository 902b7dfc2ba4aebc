/** The stores of people and tokens behind the page for admins: a file, a database, or a variable, which cannot be changed here. */
import { existsSync } from 'node:fs';
import { digestToken } from '../../auth/digest.ts';
import { readTokenText, type TokenEditor, type TokenPlan } from '../../auth/tokens/token-edit.ts';
import { TokenFileError } from '../../auth/tokens/token-file-error.ts';
import type { TokenEntry } from '../../auth/tokens/token-set.ts';
import { TokenStoreError } from '../../auth/tokens/token-store-error.ts';
import { openTokenStore } from '../../auth/tokens/token-store.ts';
import { createUserContext } from '../../auth/user.ts';
import { HttpError } from '../errors.ts';

/** The outcome of an edit that was written. */
export interface PeopleEdited<Result> {
  readonly result: Result;
  /** Why this server goes on with the tokens that it had, and what helps, in sentences; undefined if the edit is in force. */
  readonly problem?: string | undefined;
}

/** The people and their tokens. */
export interface People {
  readonly kind: 'file' | 'database' | 'variable' | 'elsewhere';
  /** Why nothing can be changed here; undefined if it can. */
  readonly fixedBecause: string | undefined;
  read(): Promise<readonly TokenEntry[]>;
  /**
   * Makes all the planned edits or none; edits of others come before or after, never in between.
   * @throws {HttpError} 409 when nothing can be changed here, 400 when no token file may contain what is wanted
   */
  edit<Result>(plan: (entries: readonly TokenEntry[]) => TokenPlan<Result>): Promise<PeopleEdited<Result>>;
}

/** The server's view of the token file that it follows. */
export interface FollowedFile {
  /** Makes the server read it at once. Resolves with what keeps the server from using it; undefined if nothing does. */
  takeOver(): Promise<string | undefined>;
  /** Whether its tokens are in force, even if the file is gone. */
  hasRead(): boolean;
}

/** The people of a token file, edited under the lock that the token command takes as well. */
export function createFilePeople(path: string, followed: FollowedFile): People {
  const store = openTokenStore(path);
  // The first token that is added creates the file. A file that was read and is gone must come back: a new one would end every token in force.
  const requireThere = (): void => {
    if (followed.hasRead() && !existsSync(path))
      throw new HttpError(503, 'tokens_unavailable', FILE_GONE, { headers: { 'Retry-After': '5' } });
  };
  return {
    kind: 'file',
    fixedBecause: undefined,
    async read() {
      requireThere();
      return (await inWords(async () => store.read({ orEmpty: true }))).entries;
    },
    async edit(plan) {
      requireThere();
      const create = !followed.hasRead();
      const { result } = await inWords(async () => store.edit(({ entries }) => plan(entries), { create }));
      const fault = await followed.takeOver();
      return { result, problem: fault === undefined ? undefined : describeProblem(path, fault) };
    },
  };
}

/** Says why an edit that was written is not in force, and what helps. */
function describeProblem(path: string, fault: string): string {
  if (!existsSync(path)) return FILE_TAKEN;
  return fault.startsWith('entry ')
    ? `The file has a fault: ${fault}. ${MEND_FILE}`
    : `The token file ${fault}. As soon as that is corrected, everything that is written there takes effect.`;
}

const FILE_TAKEN =
  'The token file was removed while it was being written. Put it back where it was, and check whether it has the change.';

const MEND_FILE =
  'Disable or remove the entry that it names, here or in the file; then everything that is written there takes effect.';

const FILE_GONE =
  'The token file is gone, and the server still uses the tokens that it had. Put it back where it was: with a new file, all of them would stop working.';

/** The people of a database. The verifier of this process takes each edit over by itself; other processes do when they next read it. */
export function createTablePeople(tokens: TokenEditor): People {
  return {
    kind: 'database',
    fixedBecause: undefined,
    async read() {
      return (await inWords(async () => tokens.read())).entries;
    },
    edit: async (plan) => inWords(async () => tokens.edit(({ entries }) => plan(entries))),
  };
}

/** People that can be shown, but not changed. */
export function createFixedPeople(
  kind: 'variable' | 'elsewhere',
  entries: readonly TokenEntry[],
  fixedBecause: string,
): People {
  return {
    kind,
    fixedBecause,
    read: async () => entries,
    async edit() {
      throw new HttpError(409, 'read_only', fixedBecause);
    },
  };
}

/** Reads the entries of AUTH_TOKENS: the text of a token file, or one bare token, whose user is the owner. */
export function entriesOfVariable(text: string): readonly TokenEntry[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return readTokenText(trimmed).entries;
  const user = createUserContext({ userId: 'owner', name: 'Owner' });
  return [{ digest: digestToken(trimmed), user, disabled: false }];
}

/** Runs `work`. Errors of the token file or the store become an {@link HttpError}, so that none of them is an internal error. */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TokenFileError)
      throw new HttpError(400, 'invalid_request', error.message, { cause: error });
    if (!(error instanceof TokenStoreError)) throw error;
    if (error.cause instanceof TokenFileError)
      throw new HttpError(400, 'invalid_request', error.cause.message, { cause: error });
    // Without Retry-After: a program that waits and repeats must not send again what may be written already.
    if (error.isUnsure) throw new HttpError(503, 'unsure', wordsOf(error), { cause: error });
    throw new HttpError(503, 'tokens_unavailable', wordsOf(error), {
      headers: { 'Retry-After': '5' },
      cause: error,
    });
  }
}

/** The words of an error, without a path of the machine. */
function wordsOf({ message }: Error): string {
  return message.replaceAll(/(?:[\w.-]*\/)+([\w.-]+)/g, '$1');
}
