/** Where the people of the page for admins are kept: a file, or a variable that only shows them. */
import { existsSync } from 'node:fs';
import { digestToken } from '../../auth/digest.ts';
import { readTokenText, type TokenEditor, type TokenEdits } from '../../auth/tokens/token-edit.ts';
import { TokenFileError } from '../../auth/tokens/token-file-error.ts';
import type { TokenEntry } from '../../auth/tokens/token-set.ts';
import { TokenStoreError } from '../../auth/tokens/token-store-error.ts';
import { openTokenStore } from '../../auth/tokens/token-store.ts';
import { createUserContext } from '../../auth/user.ts';
import { HttpError } from '../errors.ts';

/** What is to be changed, and what was found out on the way. */
export interface PeoplePlan<Result> {
  readonly edits: TokenEdits;
  readonly result: Result;
}

/** What came of an edit that was written. */
export interface PeopleEdited<Result> {
  readonly result: Result;
  /** Why this server goes on with the tokens that it had, and what helps, in sentences; undefined where what was written counts. */
  readonly problem?: string | undefined;
}

/** The people and their tokens. */
export interface People {
  readonly kind: 'file' | 'database' | 'variable' | 'elsewhere';
  /** Why nothing can be changed here; undefined where it can. */
  readonly fixedBecause: string | undefined;
  read(): Promise<readonly TokenEntry[]>;
  /**
   * Changes all of it or nothing; edits of others come before or after, never in between.
   * @throws {HttpError} 409 where it cannot be changed, 400 when no token file may hold what is wanted
   */
  edit<Result>(plan: (entries: readonly TokenEntry[]) => PeoplePlan<Result>): Promise<PeopleEdited<Result>>;
}

/** What the server has of the token file that it follows. */
export interface FollowedFile {
  /** Has it read at once, and says what keeps the server from taking it over. */
  takeOver(): Promise<string | undefined>;
  /** Whether its tokens are in force, be it there or not. */
  hasRead(): boolean;
}

/** The people of a token file, under the lock that the command takes too. */
export function createFilePeople(path: string, followed: FollowedFile): People {
  const store = openTokenStore(path);
  // With the first one that is added comes the file. One that is gone comes back: a new one would end every token that is in force.
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

/** Why what was written is not in force, and what helps. */
function describeProblem(path: string, fault: string): string {
  if (!existsSync(path)) return FILE_TAKEN;
  return fault.startsWith('entry ')
    ? `The file has a fault: ${fault}. ${MEND_FILE}`
    : `The token file ${fault}. As soon as that is mended, everything that is written there counts.`;
}

const FILE_TAKEN =
  'The token file was taken away in the moment in which it was written. Put it back where it was, and look whether it has the change.';

const MEND_FILE =
  'Disable or remove what that names, here or in the file; then everything that is written there counts.';

const FILE_GONE =
  'The token file is gone, and the server goes on with the tokens that it had. Put it back where it was: a new one would end all of them.';

/** The people of a database. Its verifier takes each change over by itself, and the other processes do with their next look. */
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

/** People that are only shown. */
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

/** The entries of AUTH_TOKENS: a token file's text, or one bare token, whose user is the owner. */
export function entriesOfVariable(text: string): readonly TokenEntry[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return readTokenText(trimmed).entries;
  const user = createUserContext({ userId: 'owner', name: 'Owner' });
  return [{ digest: digestToken(trimmed), user, disabled: false }];
}

/** Runs `work`; what went wrong with the file is told in HTTP's words, and never as a fault of nobody. */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TokenFileError)
      throw new HttpError(400, 'invalid_request', error.message, { cause: error });
    if (!(error instanceof TokenStoreError)) throw error;
    if (error.cause instanceof TokenFileError)
      throw new HttpError(400, 'invalid_request', error.cause.message, { cause: error });
    // What may be written already is not to be sent again by a program that waits and repeats.
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
