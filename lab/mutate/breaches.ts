/** The breaches of promises as mutants: where each is in the sources, and which tests its promise names. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Mutant } from './mutant.ts';
import { BREACHES } from './promised.ts';

/** Tests that start a built server, which keeps the built code here, or that take long. */
const LEFT_OUT = /^tests\/(e2e\/(?!redis-failures)|lab|security\/(process|stuck-log|clock|heavy-bodies))/;

/**
 * Finds the breaches.
 * @throws when SECURITY.md has no such promise, or the source has not the text to change
 */
export async function findBreaches(root: string): Promise<Mutant[]> {
  const rows = (await readFile(path.join(root, 'SECURITY.md'), 'utf8')).split('\n');
  const found: Mutant[] = [];
  for (const { promise, file, before, after } of BREACHES) {
    const row = rows.find((line) => line.startsWith(`| ${promise}`));
    if (row === undefined) throw new Error(`SECURITY.md does not promise "${promise}".`);
    const text = await readFile(path.join(root, file), 'utf8').catch(() => undefined);
    // The file of an island that has been removed; its promise does not hold any more.
    if (text === undefined) continue;
    const start = text.indexOf(before);
    if (start === -1) throw new Error(`${file} has no place for a breach of "${promise}".`);
    const tests = [...row.matchAll(/`(tests\/[^`]+)`/g)].map(([, name = '']) => name);
    const name = `${promise}… ${file}: ${after.trim() === '' ? 'without ' : ''}${(after.trim() || before.trim()).slice(0, 60)}`;
    found.push({ name, file, start, before, after, tests: tests.filter((test) => !LEFT_OUT.test(test)) });
  }
  return found;
}
