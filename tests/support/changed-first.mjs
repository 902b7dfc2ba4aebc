/** The order of the test files: what changed since the last commit and what imports it, nearest first; then what failed last time. */

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import sequencer from '@jest/test-sequencer';

/** The class itself: the types describe the CommonJS form of the package, where it is one level down. */
const Sequencer = /** @type {typeof sequencer.default} */ (/** @type {unknown} */ (sequencer));

/** What jest's configuration names as its test sequencer. */
export default class ChangedFirst extends Sequencer {
  /**
   * Jest's own order, those that failed first, with what changed in front of it.
   *
   * @override
   * @param {Parameters<sequencer.default['sort']>[0]} tests
   */
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- jest's method, not an array's
    const files = await super.sort(tests);
    const distances = distancesFrom(
      changedFiles(files[0]?.context.config.rootDir ?? '.'),
      files.map((test) => test.path),
      readImports,
    );
    /** @param {{ path: string }} test */
    const distanceOf = (test) => distances.get(test.path) ?? Number.MAX_SAFE_INTEGER;
    return files.toSorted((one, other) => distanceOf(one) - distanceOf(other));
  }
}

/**
 * The files of a checkout that differ from its last commit; none where there is no git.
 *
 * @param {string} root
 * @returns {Set<string>} absolute paths
 */
export function changedFiles(root) {
  /** @param {string[]} args */
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const names = [
      git('diff', '--name-only', '--relative', '-z', 'HEAD'),
      git('ls-files', '--others', '--exclude-standard', '-z'),
    ];
    return new Set(
      names
        .join('')
        .split('\0')
        .filter(Boolean)
        .map((name) => path.join(root, name)),
    );
  } catch {
    return new Set();
  }
}

/**
 * How many imports lie between each test file and a changed one: 0 for one that changed itself. Those without a way are left out.
 *
 * @param {ReadonlySet<string>} changed
 * @param {readonly string[]} tests
 * @param {(file: string) => readonly string[]} importsOf
 * @returns {Map<string, number>}
 */
export function distancesFrom(changed, tests, importsOf) {
  /** @type {Map<string, string[]>} */
  const importers = new Map();
  const known = new Set(tests);
  for (const file of changed.size === 0 ? [] : known) {
    for (const imported of importsOf(file)) {
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
      // A set hands out what is added while it is walked through.
      known.add(imported);
    }
  }
  const distances = new Map([...changed].map((file) => [file, 0]));
  for (const [file, distance] of distances) {
    for (const importer of importers.get(file) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1);
  }
  return distances;
}

/**
 * The files of this repository that a file imports.
 *
 * @param {string} file
 */
function readImports(file) {
  // What a test quotes of an import may lead to a folder.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const imports = readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\b\s*\(?\s*'(\.[^']+)'/g);
  return [...imports].map(([, name = '']) => path.resolve(path.dirname(file), name));
}
