/** Edits of files, which are all known before the first is made: they can be listed, or made as a whole. */
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError, EXIT } from '../token/command-error.ts';

/** The new text of each file, by its path in the checkout; undefined deletes the file. */
export type Edits = ReadonlyMap<string, string | undefined>;

/** Describes the edits, one a line, in the order of the paths. */
export function describeEdits(edits: Edits): string[] {
  return [...edits]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => `  ${text === undefined ? 'delete' : 'write '}  ${name}`);
}

/**
 * Makes every edit, or none: when one fails, the files that were changed before are restored.
 * @throws {CommandError} saying which file could not be changed
 */
export async function makeEdits(root: string, edits: Edits): Promise<void> {
  const before = new Map<string, string | undefined>();
  for (const [name, text] of edits) {
    try {
      before.set(name, await readIfThere(root, name));
      await put(root, name, text);
    } catch (cause) {
      // The file that could not be written usually cannot be restored either, and has not changed.
      for (const [changed, original] of before)
        await put(root, changed, original).catch((error: unknown) => {
          if (changed !== name) throw error;
        });
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      throw new CommandError(
        EXIT.failed,
        `${name} cannot be changed (${reason}); nothing has been changed.`,
        {
          cause,
        },
      );
    }
  }
  const emptied = [...edits].filter(([, text]) => text === undefined).map(([name]) => path.dirname(name));
  for (const folder of new Set(emptied)) await removeIfEmpty(root, folder);
}

/** The text of a file; undefined when it does not exist. */
export async function readIfThere(root: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(path.join(root, name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The files of a folder, or the file itself, by their paths in the checkout; none when nothing is there.
 * Hidden files are among them.
 */
export async function filesAt(root: string, name: string): Promise<string[]> {
  try {
    const entries = await readdir(path.join(root, name), { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTDIR') return [name];
    if (code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes a text to a file, or deletes the file. */
async function put(root: string, name: string, text: string | undefined): Promise<void> {
  const file = path.join(root, name);
  if (text === undefined) return rm(file, { force: true });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Removes a folder that is empty, and then the folders above it that have become empty. */
async function removeIfEmpty(root: string, folder: string): Promise<void> {
  if (folder === '.') return;
  try {
    await rmdir(path.join(root, folder));
  } catch {
    // It is not empty, or has been removed with the folder of another edit.
    return;
  }
  await removeIfEmpty(root, path.dirname(folder));
}
