/** Errors of the operating system: their codes, and what they mean for a token file. */
import path from 'node:path';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; run this as the owner of the file and of its folder',
  EPERM: 'permission denied; run this as the owner of the file and of its folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links form a circle',
  EBUSY: 'it is mounted by itself and cannot be replaced; mount the folder that holds it',
  EXDEV: 'it is mounted by itself and cannot be replaced; mount the folder that holds it',
};

/** The code of a system error, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  // Not by instanceof: errors of the file system belong to another realm when tests run in one of their own.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What went wrong with a file, in words; undefined when the error is not one of the operating system. */
export function describeSystemError(error: unknown): string | undefined {
  const code = codeOf(error);
  // Other errors have codes of their own, which are no codes of the system.
  return code === undefined || !/^E[A-Z\d_]+$/.test(code) ? undefined : (WORDS[code] ?? code);
}

/** What went wrong when a file was read, as {@link describeSystemError} has it. A missing file is named by its absolute path. */
export function describeReadError(error: unknown, file: string): string | undefined {
  return codeOf(error) === 'ENOENT'
    ? `there is no such file at ${path.resolve(file)}`
    : describeSystemError(error);
}
