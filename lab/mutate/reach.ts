/** Which tests reach the place of a mutant: every test runs once over sources that say where they are run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import type { Mutant } from './mutant.ts';

/** A text that is put into a source. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** The mutants' files with a mark at each mutant's place; the marks are numbered as the mutants are. */
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

/** Reads what the marks wrote: the tests that reached each mutant, by its number. */
export async function readReached(file: string): Promise<ReadonlyMap<number, readonly string[]>> {
  const reached = new Map<number, string[]>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [number = '', test] = line.split('\t');
    if (test !== undefined) reached.set(Number(number), [...(reached.get(Number(number)) ?? []), test]);
  }
  return reached;
}

/** A mark in the innermost block or short function around a mutant; what is in none is run with its module. */
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

/** The smallest node that holds all of a mutant's text. */
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

/** A text with all insertions. Of those at one place, an end comes before a beginning. */
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
