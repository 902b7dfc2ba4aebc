/** A token file on disk: read as it is, and replaced as a whole, so that no reader ever sees half of a change. */
import type { Stats } from 'node:fs';
import { type FileHandle, open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { runInSlices } from '../../in-slices.ts';
import { describeOutlook, warningsOfWeak } from './edit-outlook.ts';
import {
  EMPTY_TOKEN_FILE,
  editTokensInSteps,
  readTokenTextInSteps,
  type TokenPlan,
  type TokenText,
} from './token-edit.ts';
import { TokenFileError } from './token-file-error.ts';
import { TokenStoreError } from './token-store-error.ts';
import { type IsHeld, type LockOptions, withLock } from './file-lock.ts';
import { codeOf, describeSystemError } from './system-error.ts';

/** The outcome of an edit. */
export interface Edited<Result> {
  readonly result: Result;
  /** Whether a running server takes the change over, in sentences. */
  readonly outlook: string;
  /** What may keep a server from taking it over, and what else is wrong with the file, in sentences. */
  readonly warnings: readonly string[];
}

/** One token file. */
export interface TokenStore {
  /** The path as the caller gave it, for messages. */
  readonly name: string;
  /**
   * Reads the file.
   * @param orEmpty whether a missing file is read as one without tokens
   * @throws {TokenStoreError} when it is missing or cannot be read
   */
  read(options?: { readonly orEmpty: boolean }): Promise<TokenText>;
  /**
   * Changes the file under a lock. A plan that throws leaves the file as it is.
   * @param create whether a missing file is created
   */
  edit<Result>(
    plan: (file: TokenText) => TokenPlan<Result>,
    options: { create: boolean },
  ): Promise<Edited<Result>>;
}

/** Opens the file by its path; nothing is read yet. */
export function openTokenStore(name: string, lockOptions: LockOptions = {}): TokenStore {
  const missing = (): TokenStoreError =>
    new TokenStoreError(
      `${name} does not exist. Make its first token with: npm run token -- create --user NAME`,
    );
  return {
    name,
    read: ({ orEmpty } = { orEmpty: false }) =>
      explained(name, 'read', async () => {
        const text = await readText(await targetOf(name));
        if (text === undefined && !orEmpty) throw missing();
        // In slices, here and below: a server that does this has other requests to answer.
        return runInSlices(readTokenTextInSteps(text ?? EMPTY_TOKEN_FILE));
      }),
    edit: (plan, { create }) =>
      explained(name, 'written', async () => {
        const target = await targetOf(name);
        if (!create && (await readText(target)) === undefined) throw missing();
        return withLock(
          target,
          async (isHeld) => {
            const current = await readText(target);
            if (current === undefined && !create) throw missing();
            const file = await runInSlices(readTokenTextInSteps(current ?? EMPTY_TOKEN_FILE));
            const { edits, result } = plan(file);
            const text = await runInSlices(editTokensInSteps(file, edits));
            const old = await statIfPresent(target);
            if (text !== current) await replaceFile({ target, text, old, isHeld });
            const left = await statIfPresent(target);
            if (left === undefined)
              throw new TokenStoreError(
                `${name} was removed while it was being changed. Check what is there before you make the change again.`,
                { isUnsure: true },
              );
            const { warnings, outlook } = describeOutlook(name, old, left);
            return { result, outlook, warnings: [...warnings, ...warningsOfWeak(name, file, edits)] };
          },
          lockOptions,
        );
      }),
  };
}

/** Runs `work`. Errors of the file and of the system become a {@link TokenStoreError} whose message begins with the file's name. */
async function explained<T>(name: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TokenStoreError) throw error;
    const left = verb === 'written' ? ' It is left as it is.' : '';
    if (error instanceof TokenFileError)
      throw new TokenStoreError(`${name}: ${error.message}.${left}`, { cause: error });
    const problem = describeSystemError(error);
    if (problem === undefined) throw error;
    throw new TokenStoreError(`${name} cannot be ${verb}: ${problem}.`, { cause: error });
  }
}

/** The real path of the file: a symbolic link is followed, so that it stays when the file is replaced. Its target need not exist yet. */
async function targetOf(name: string): Promise<string> {
  try {
    return await realpath(name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const link = await readlink(name).catch(() => undefined);
  if (link !== undefined) return targetOf(path.resolve(path.dirname(name), link));
  return path.join(await realpath(path.dirname(name)), path.basename(name));
}

/** The text of the file, without a byte order mark; undefined when there is no file. */
async function readText(target: string): Promise<string | undefined> {
  try {
    // Reading a FIFO or a terminal would wait for somebody to write to it.
    if (!(await stat(target)).isFile()) throw new TokenFileError('is not a regular file');
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(target));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new TokenFileError('is not UTF-8 text', { cause: error });
    throw error;
  }
}

/** The file's owner, group, mode and number of links; undefined when they cannot be read, as those of a missing file. */
async function statIfPresent(target: string): Promise<Stats | undefined> {
  return stat(target).catch(() => undefined);
}

/** How a file is replaced. */
interface Replacement {
  readonly target: string;
  readonly text: string;
  /** The file that is replaced; undefined when there is none. */
  readonly old: Stats | undefined;
  readonly isHeld: IsHeld;
}

/** Replaces the target by a file with this text and the same owner, group and mode. A first file is for its owner only. */
async function replaceFile({ target, text, old, isHeld }: Replacement): Promise<void> {
  // The lock allows one writer, so a file of this name was left by a process that was killed.
  const temporary = `${target}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      if (old !== undefined) await keepRights(handle, old);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (!(await isHeld()))
      throw new TokenStoreError('The lock was lost to another command; nothing was changed.');
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(target));
}

/**
 * Gives the new file the old one's owner, group and mode: a server that could read the one must be able to read the other.
 * @throws {TokenStoreError} when this user may not, which would shut the server out
 */
async function keepRights(handle: FileHandle, old: Stats): Promise<void> {
  const made = await handle.stat();
  if (made.uid !== old.uid || made.gid !== old.gid) {
    await handle.chown(old.uid, old.gid).catch((error: unknown) => {
      throw new TokenStoreError(
        `The file belongs to user ${old.uid} and group ${old.gid}, and you may not give the new file the same owner; a server that reads it ` +
          'would be shut out. Run the command as that user or as root. Nothing was changed.',
        { cause: error },
      );
    });
  }
  await handle.chmod(old.mode & 0o7777);
}

/** Makes a rename last through a power cut, where folders can be synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
