/** Finds the tests that reach the place of a mutant: every test runs once over sources that record which places run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import type { Mutant } from './mutant.ts';

/** A text to insert into a source. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** The files of the mutants, with a mark at the place of each; marks have the numbers of their mutants. */
export async function markPlaces(
  root: string,
  mutants: readonly Mutant[],
): Promise<ReadonlyMap<string, { readonly text: string; readonly marked: string }>> {
  const files = new Map<string, { text: string; marked: string }>();
  for (const file of new Set(mutants.map((mutant) => mutant.file))) {
    const text = await readFile(path.join(root, file), 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const insertions: Insertion[] = [];
    for (const [number, mutant] of mutants.entries())
      if (mutant.file === file) insertions.push(...marksAround(source, mutant, number));
    files.set(file, { text, marked: insertAll(text, insertions) });
  }
  return files;
}

/** Reads what the marks have recorded: the tests that reached each mutant, by its number. */
export async function readReached(file: string): Promise<ReadonlyMap<number, readonly string[]>> {
  const reached = new Map<number, string[]>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [number = '', test] = line.split('\t');
    if (test !== undefined) reached.set(Number(number), [...(reached.get(Number(number)) ?? []), test]);
  }
  return reached;
}

/** Puts a mark into the innermost block or expression-bodied arrow function around a mutant. Outside of both, the mark runs with its module. */
function marksAround(source: ts.SourceFile, mutant: Mutant, number: number): Insertion[] {
  const mark = `globalThis.noteReached?.(${number})`;
  let node = innermost(source, mutant);
  for (; node.parent !== undefined; node = node.parent) {
    if (ts.isBlock(node)) return [{ at: node.getStart(source) + 1, text: `${mark};` }];
    if (ts.isArrowFunction(node.parent) && node.parent.body === node)
      return [
        { at: node.getStart(source), text: `(${mark}, ` },
        { at: node.end, text: ')' },
      ];
  }
  return [{ at: 0, text: `${mark};` }];
}

/** The smallest node that contains the whole text of a mutant. */
function innermost(source: ts.SourceFile, { start, before }: Mutant): ts.Node {
  const end = start + before.length;
  let found: ts.Node = source;
  const visit = (node: ts.Node): void => {
    if (node.getStart(source) > start || node.end < end) return;
    found = node;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

/** Makes all insertions in a text. At the same index, the end of an expression comes before the beginning of another. */
function insertAll(text: string, insertions: readonly Insertion[]): string {
  let result = '';
  let from = 0;
  for (const { at, text: inserted } of insertions.toSorted(
    (one, other) => one.at - other.at || one.text.length - other.text.length,
  )) {
    result += text.slice(from, at) + inserted;
    from = at;
  }
  return result + text.slice(from);
}
