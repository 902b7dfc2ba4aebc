/** Versions of a token file: reads one, and tells whether the file has changed since. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { types } from 'node:util';
import { TokenFileError } from './token-file-error.ts';

/** The largest token file that is read: some 300,000 entries. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** File systems tell times in steps: within this time after a change, equal times do not prove equal content. */
const UNSETTLED_MS = 2_000;

/** One version of a token file: its text, and its identity in the file system when it was opened. */
export interface FileVersion {
  readonly text: string;
  readonly hash: string;
  readonly stats: BigIntStats;
  readonly readAtMs: number;
  /** When it was changed, as far as this machine's clock knows: that of the file system may be ahead of it. */
  readonly changedAtMs: number;
}

/**
 * Reads a file and its identity through one handle, so that a change in between is noticed by {@link hasChanged}. `before` is the version
 * that was read last.
 * @throws {TokenFileError} saying why it cannot be read
 */
export async function readVersion(
  filePath: string,
  now: () => number,
  before?: FileVersion,
): Promise<FileVersion> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for somebody to write to it.
    handle = await open(filePath, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new TokenFileError('is not a regular file');
    if (stats.size > MAX_FILE_BYTES) throw new TokenFileError(`is larger than ${MAX_FILE_BYTES} bytes`);
    const bytes = await handle.readFile();
    const text = decodeUtf8(bytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const readAtMs = now();
    const seenAtMs = before?.stats.ctimeNs === stats.ctimeNs ? before.changedAtMs : readAtMs;
    const changedAtMs = Math.min(Number(stats.ctimeMs), seenAtMs, readAtMs);
    return { text, hash, stats, readAtMs, changedAtMs };
  } catch (error) {
    throw error instanceof TokenFileError
      ? error
      : new TokenFileError(describeReadFailure(error), { cause: error });
  } finally {
    await handle?.close();
  }
}

/** The text of UTF-8 bytes, without a byte order mark. */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TokenFileError('is not UTF-8 text');
  }
}

/** Whether the path may lead to another content than the version that was read. */
export async function hasChanged(
  filePath: string,
  { stats: old, readAtMs, changedAtMs }: FileVersion,
): Promise<boolean> {
  try {
    const found = await stat(filePath, { bigint: true });
    const same = (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every(
      (field) => found[field] === old[field],
    );
    return !same || readAtMs - changedAtMs < UNSETTLED_MS;
  } catch {
    return true;
  }
}

/** Why a token file cannot be used, in words that hold nothing of its content. */
export function describeReadFailure(error: unknown): string {
  if (error instanceof TokenFileError) return error.message;
  const code = types.isNativeError(error) && 'code' in error ? String(error.code) : 'unknown error';
  return SYSTEM_ERRORS[code] ?? `cannot be read (${code})`;
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a directory, not a file',
  ENXIO: 'is not a regular file',
};
