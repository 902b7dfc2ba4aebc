/** A token file on disk: read as it is, and replaced as a whole, so that no reader ever sees half of a change. */
import { open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { EMPTY_TOKEN_FILE } from './token-edit.ts';
import { CommandError, EXIT } from './command-error.ts';
import { type IsHeld, type LockOptions, withLock } from './file-lock.ts';
import { codeOf, describeSystemError } from './system-error.ts';

/** What an edit makes of the text, and what it found out on the way. */
export interface Edited<Result> {
  readonly text: string;
  readonly result: Result;
}

/** One token file. */
export interface TokenStore {
  /** As it was named: for messages. */
  readonly name: string;
  /** @throws {CommandError} when it is missing or cannot be read */
  read(): Promise<string>;
  /**
   * Changes the text under a lock. An edit that throws leaves the file as it is.
   * @param create whether a missing file is made
   */
  edit<Result>(change: (text: string) => Edited<Result>, options: { create: boolean }): Promise<Result>;
}

/** Opens the file by its path; nothing is read yet. */
export function openTokenStore(name: string, lockOptions: LockOptions = {}): TokenStore {
  const missing = (): CommandError =>
    new CommandError(
      EXIT.failed,
      `${name} does not exist. Make its first token with: npm run token -- create --user NAME`,
    );
  return {
    name,
    read: () =>
      explained(name, 'read', async () => {
        const text = await readText(await targetOf(name));
        if (text === undefined) throw missing();
        return text;
      }),
    edit: (change, { create }) =>
      explained(name, 'written', async () => {
        const target = await targetOf(name);
        if (!create && (await readText(target)) === undefined) throw missing();
        return withLock(
          target,
          async (isHeld) => {
            const current = await readText(target);
            if (current === undefined && !create) throw missing();
            const { text, result } = change(current ?? EMPTY_TOKEN_FILE);
            if (text !== current) await replaceFile(target, text, isHeld);
            return result;
          },
          lockOptions,
        );
      }),
  };
}

/** Runs `work` and puts what went wrong into words that begin with the file's name. */
async function explained<T>(name: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const left = verb === 'written' ? ' It is left as it is.' : '';
    if (error instanceof TokenFileError)
      throw new CommandError(EXIT.failed, `${name}: ${error.message}.${left}`, { cause: error });
    const problem = describeSystemError(error);
    if (problem === undefined) throw error;
    throw new CommandError(EXIT.failed, `${name} cannot be ${verb}: ${problem}.`, { cause: error });
  }
}

/** The file itself where the path is a symbolic link, so that the link stays; the link may lead to what is not there yet. */
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

/** The file's text without a byte order mark; undefined when there is none. */
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

/** Puts a file with this text, readable by its owner only, in the place of the target. */
async function replaceFile(target: string, text: string, isHeld: IsHeld): Promise<void> {
  // Under the lock there is one writer, so a file of this name is what a killed one left.
  const temporary = `${target}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      await keepOwner(target, handle);
      await handle.chmod(0o600);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (!(await isHeld()))
      throw new CommandError(EXIT.failed, 'The lock was lost to another command; nothing was changed.');
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(target));
}

/** Gives the new file the old one's owner: a server that runs as another user must still be able to read it. */
async function keepOwner(
  target: string,
  handle: { chown(uid: number, gid: number): Promise<void> },
): Promise<void> {
  const old = await stat(target).catch(() => undefined);
  if (old === undefined || process.getuid === undefined || old.uid === process.getuid()) return;
  await handle.chown(old.uid, old.gid);
}

/** Makes a rename last through a power cut, where folders can be synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
