/** Orders the test files: first those that have changed since the last commit or import what has, nearest first; then those that failed last. */

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import sequencer from '@jest/test-sequencer';

/** The class itself: the package's types describe its CommonJS form, where the class is one level further down. */
const Sequencer = /** @type {typeof sequencer.default} */ (/** @type {unknown} */ (sequencer));

/** The test sequencer that jest's configuration names. */
export default class ChangedFirst extends Sequencer {
  /**
   * Puts tests near a change in front of jest's own order, in which those that failed come first.
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
 * The files of a checkout that differ from its last commit; none when git fails.
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
 * How many imports lie between each file and a changed one: 0 for a changed file. Files that reach no changed one are left out.
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
      // Iterating a set also visits what is added meanwhile.
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
  // An import that a test only quotes may lead to a folder.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const imports = readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\b\s*\(?\s*'(\.[^']+)'/g);
  return [...imports].map(([, name = '']) => path.resolve(path.dirname(file), name));
}
