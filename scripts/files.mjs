/** Reads files that need not exist, and computes digests that tell whether files have changed. */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/**
 * A digest of the names and contents of files.
 *
 * @param {string} root
 * @param {string[]} inputs files, and folders to be searched for code and JSON
 */
export function hashOf(root, inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesOf(root, input))) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * The file's own name, or the names of the code and JSON files in a folder, in a stable order; none when nothing exists there.
 *
 * @param {string} root
 * @param {string} name relative to the root
 * @returns {string[]}
 */
function filesOf(root, name) {
  const stats = fs.statSync(path.join(root, name), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [name];
  const entries = fs.readdirSync(path.join(root, name), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || /\.(ts|mjs|json)$/.test(entry.name))
    .map((entry) => entry.name)
    .toSorted()
    .flatMap((entry) => filesOf(root, `${name}/${entry}`));
}

/**
 * The content of a text file; undefined when it does not exist.
 *
 * @param {string} file
 */
export function readIfPresent(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The code of a system error, such as ENOENT.
 *
 * @param {unknown} error
 */
export function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
