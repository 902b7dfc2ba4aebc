/** Which tests concern a source: those that import it, by however many steps, in stages from near to far. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** The stages of a source, given from the root: each has tests that none before it has. */
export type StagesOf = (file: string) => readonly (readonly string[])[];

/** Reads the imports of all tests under some paths, and of what they import. */
export async function concerning(root: string, testPaths: readonly string[]): Promise<StagesOf> {
  const tests: string[] = [];
  for (const place of testPaths) tests.push(...(await testsUnder(root, place)));
  const importers = await importersFrom(root, tests);
  return (file) => {
    const distances = distancesTo(file, importers);
    const reached = tests.filter((test) => distances.has(test));
    const own = file.replace(/^src\//, 'tests/').replace(/\.ts$/, '.test.ts');
    const isNear = (test: string): boolean => test === own || distances.get(test) === 1;
    const isBeside = (test: string): boolean => path.dirname(test) === path.dirname(own);
    const near = reached.filter(isNear);
    const beside = reached.filter((test) => !isNear(test) && isBeside(test));
    const others = reached.filter((test) => !isNear(test) && !isBeside(test));
    return [near, beside, others].filter((stage) => stage.length > 0);
  };
}

/** The tests in a folder, or the one that is named. */
async function testsUnder(root: string, place: string): Promise<string[]> {
  if (place.endsWith('.test.ts')) return [place];
  const names = await readdir(path.join(root, place), { recursive: true });
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => `${place}/${name}`);
}

/** Who imports each file, of those that the tests reach. */
async function importersFrom(
  root: string,
  tests: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const importers = new Map<string, string[]>();
  const known = new Set(tests);
  // A set hands out what is added while it is walked through.
  for (const file of known) {
    for (const imported of await importsOf(root, file)) {
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
      known.add(imported);
    }
  }
  return importers;
}

/** The files of this repository that a file imports. */
async function importsOf(root: string, file: string): Promise<string[]> {
  const absolute = path.join(root, file);
  const isFile = await stat(absolute).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) return [];
  const found = (await readFile(absolute, 'utf8')).matchAll(/\b(?:from|import)\b\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, name = '']) => path.posix.join(path.posix.dirname(file), name));
}

/** How many imports lie between a file and each that reaches it. */
function distancesTo(
  file: string,
  importers: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, number> {
  const distances = new Map([[file, 0]]);
  for (const [reached, distance] of distances)
    for (const importer of importers.get(reached) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1);
  return distances;
}
