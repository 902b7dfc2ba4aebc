/** The documents of this repository, and what tests look for in them: fenced blocks, code in the text, tables, links. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ISLANDS } from '../../scripts/fork/islands.mjs';
import { ROOT } from '../support/process.ts';

/** One document. */
export interface Document {
  /** Relative to the checkout, such as `docs/01_CONTEXT.md`. */
  readonly name: string;
  readonly text: string;
}

/** A fenced block. */
export interface Fence {
  readonly language: string;
  /** Without the indentation of the fence. */
  readonly code: string;
  /** Whether `<!-- tested -->` stands in the line above. */
  readonly isTested: boolean;
}

/** Every document that people wrote. `docs/LICENCES.md` is written by a program. */
export async function readDocuments(): Promise<Document[]> {
  const [top, docs] = await Promise.all([readdir(ROOT), readdir(path.join(ROOT, 'docs'))]);
  const names = [...top, ...docs.map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'));
  return Promise.all(
    names
      .filter((name) => name !== 'docs/LICENCES.md')
      .toSorted()
      .map(readDocument),
  );
}

/** Whether a file or folder is of an island that this fork has taken out (`npm run drop`): the documents tell of it all the same. */
export function isTakenOut(name: string): boolean {
  return ISLANDS.some(
    ({ files, tests }) =>
      [...files, ...tests].some((own) => own === name || `${own}/` === name || name.startsWith(`${own}/`)) &&
      !files.some((own) => existsSync(path.join(ROOT, own))),
  );
}

/** Whether a script of package.json is of an island: where that is taken out, the documents tell of it all the same. */
export function isScriptOfIsland(name: string): boolean {
  return ISLANDS.some(({ wiring }) =>
    wiring.some(
      (wired) => wired.file === 'package.json' && 'linesWith' in wired && wired.linesWith === `"${name}":`,
    ),
  );
}

/** One document by its name. */
export async function readDocument(name: string): Promise<Document> {
  return { name, text: await readFile(path.join(ROOT, name), 'utf8') };
}

/** The fenced blocks of a text, in their order. */
export function fencesOf(text: string): Fence[] {
  const pattern = /^(?<indent> *)```(?<language>\w*)\n(?<code>[\s\S]*?)\n *```$/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const { indent = '', language = '', code = '' } = match.groups ?? {};
    const lines = code.split('\n').map((line) => line.slice(indent.length));
    const above = text.slice(0, match.index).trimEnd();
    return { language, code: lines.join('\n'), isTested: above.endsWith('<!-- tested -->') };
  });
}

/** A text without its fenced blocks. */
export function proseOf(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?\n *```$/gm, '');
}

/** What stands in backticks in the prose of a text. */
export function inlineCodeOf(text: string): string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** The rows of all tables of a text, without their heads; each is its trimmed cells. */
export function tableRowsOf(text: string): string[][] {
  const lines = proseOf(text).split('\n');
  return lines
    .filter((line, index) => isRow(line) && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) => line.trim().split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** Whether a line belongs to a table. */
function isRow(line: string): boolean {
  return /^ *\|/.test(line);
}

/** Whether a line is the one between a table's head and its rows. */
function isRule(line = ''): boolean {
  return /^ *\|[ :|-]+\|$/.test(line);
}

/** The part of a text from one marker to the next; throws when one is missing. */
export function between(text: string, start: string, end: string): string {
  const from = text.indexOf(start);
  const to = text.indexOf(end, from + start.length);
  if (from < 0 || to < 0) throw new Error(`"${start}" … "${end}" is not there.`);
  return text.slice(from + start.length, to);
}
