/** Plans what removing an island changes, as a whole, before any file is touched. */
import path from 'node:path';
import { CommandError, EXIT } from '../token/command-error.ts';
import { withDeleted } from './fork-readme.ts';
import { type Edits, filesAt, readIfThere } from './edits.ts';
import type { Island, Wiring } from './island.ts';

/** The changes, and what a person must look at afterwards. */
export interface DropPlan {
  readonly edits: Edits;
  /** Tests that use the island among other things. */
  readonly tests: readonly string[];
  /** Files that stay and import a removed file. Only a fork's own files do that; they do not compile until somebody changes them. */
  readonly importers: readonly string[];
  /** Paths that a merge of the template would bring back, when README.md has no command that deletes them again. */
  readonly unlisted: readonly string[];
}

/**
 * Plans every edit. The islands that depend on this one are removed with it.
 * @throws {CommandError} when the island has been removed before, or its files or its wiring are not as the table says
 */
export async function planDrop(
  root: string,
  island: Island,
  others: readonly Island[] = [],
): Promise<DropPlan> {
  if (!(await isThere(root, island)))
    throw new CommandError(
      EXIT.failed,
      `No file of ${island.name} is there, as if it had been removed before: nothing has been changed.`,
    );
  const { edits, dropped } = await planEdits(root, island, others);
  const deleted = dropped.flatMap(({ files, tests: own }) => files.concat(own));
  const readme = edits.get('README.md') ?? (await readIfThere(root, 'README.md')) ?? '';
  const listed = withDeleted(readme, deleted);
  if (listed !== undefined) edits.set('README.md', listed);
  const tests: string[] = [];
  for (const name of await filesAt(root, 'tests'))
    if (name.endsWith('.test.ts') && !edits.has(name))
      if (island.usedBy?.test((await readIfThere(root, name)) ?? '') === true) tests.push(name);
  const importers = await importersOf(root, edits);
  return { edits, tests: tests.toSorted(), importers, unlisted: listed === undefined ? deleted : [] };
}

/** Plans what is removed and what no longer names it, for an island and those that depend on it; README.md stays as it is. */
export async function planEdits(
  root: string,
  island: Island,
  others: readonly Island[] = [],
): Promise<{ readonly edits: Map<string, string | undefined>; readonly dropped: readonly Island[] }> {
  const edits = new Map<string, string | undefined>();
  const dropped = [...(await carriedBy(root, island, others)), island];
  for (const one of dropped) await planOne(root, one, others, edits);
  return { edits, dropped };
}

/** The sources that stay and import a file that is removed. */
async function importersOf(root: string, edits: Edits): Promise<readonly string[]> {
  const importers: string[] = [];
  for (const folder of ['src', 'tests', 'examples'])
    for (const name of await filesAt(root, folder)) {
      const text = edits.has(name) ? edits.get(name) : await readIfThere(root, name);
      if (!name.endsWith('.ts') || text === undefined) continue;
      if (goneImports(name, text, edits).length > 0) importers.push(name);
    }
  return importers.toSorted();
}

/** The files that a text imports and the edits remove. */
function goneImports(name: string, text: string, edits: Edits): readonly string[] {
  return importsIn(name, text).filter((file) => edits.has(file) && edits.get(file) === undefined);
}

/** The files that a text imports, as far as a line shows it: the compiler's parser would take seconds for so many texts. */
export function importsIn(name: string, text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import\(?)\s*'(\.[^']+)'/g)].map(([, to = '']) =>
    path.posix.join(path.posix.dirname(name), to),
  );
}

/** The islands that depend on this one, except those that have been removed before. */
async function carriedBy(
  root: string,
  { carries = [] }: Island,
  others: readonly Island[],
): Promise<readonly Island[]> {
  const carried = others.filter(({ name }) => carries.includes(name));
  const files = await Promise.all(carried.map(async ({ files: [first = ''] }) => filesAt(root, first)));
  return carried.filter((_island, index) => (files[index] ?? []).length > 0);
}

/** Whether any file of an island is there. */
async function isThere(root: string, { files }: Island): Promise<boolean> {
  const found = await Promise.all(files.map(async (name) => filesAt(root, name)));
  return found.flat().length > 0;
}

/** Adds the edits of one island. */
async function planOne(
  root: string,
  island: Island,
  others: readonly Island[],
  edits: Map<string, string | undefined>,
): Promise<void> {
  for (const wiring of island.wiring) {
    const text = edits.get(wiring.file) ?? (await readIfThere(root, wiring.file));
    const cut = text === undefined ? undefined : cutOut(text, wiring);
    if (cut === undefined)
      throw new CommandError(
        EXIT.failed,
        `${wiring.file} has no ${wordsOf(wiring)}: nothing has been changed.`,
      );
    edits.set(wiring.file, cut);
  }
  for (const name of island.files) {
    const files = await filesAt(root, name);
    // The folder that it is in may have gone with another island, as the page for admins goes with public/.
    const isOfOther = others.some((other) => other.files.some((folder) => name.startsWith(`${folder}/`)));
    if (files.length === 0 && !isOfOther)
      throw new CommandError(EXIT.failed, `${name} is missing: nothing has been changed.`);
    for (const file of files) edits.set(file, undefined);
  }
  for (const name of island.tests) for (const file of await filesAt(root, name)) edits.set(file, undefined);
}

/** Removes the wiring of an island from a text; undefined when it is not there. */
function cutOut(text: string, wiring: Wiring): string | undefined {
  if ('part' in wiring) return text.includes(wiring.part) ? text.replace(wiring.part, '') : undefined;
  const lines = text.split('\n');
  const left = lines.filter((line) => !line.includes(wiring.linesWith));
  return left.length < lines.length ? left.join('\n') : undefined;
}

/** Names the wiring that was not found. */
function wordsOf(wiring: Wiring): string {
  return 'part' in wiring ? `"${wiring.part}"` : `line with "${wiring.linesWith}"`;
}
