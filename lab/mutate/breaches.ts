/** The breaches of promises as mutants: where each stands, and the tests that its promise names. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Mutant } from './mutant.ts';
import { BREACHES } from './promised.ts';

/** What starts a built server, or takes long, is left out: what is built stays as it is here. */
const LEFT_OUT = /^tests\/(e2e\/(?!redis-failures)|lab|security\/(process|stuck-log|clock|heavy-bodies))/;

/**
 * Finds them.
 * @throws when SECURITY.md does not promise it, or the text is not there that is to be changed
 */
export async function findBreaches(root: string): Promise<Mutant[]> {
  const rows = (await readFile(path.join(root, 'SECURITY.md'), 'utf8')).split('\n');
  const found: Mutant[] = [];
  for (const { promise, file, before, after } of BREACHES) {
    const row = rows.find((line) => line.startsWith(`| ${promise}`));
    if (row === undefined) throw new Error(`SECURITY.md does not promise "${promise}".`);
    const text = await readFile(path.join(root, file), 'utf8').catch(() => undefined);
    // An island that was taken out took its promise along.
    if (text === undefined) continue;
    const start = text.indexOf(before);
    if (start === -1) throw new Error(`${file} has no place for a breach of "${promise}".`);
    const tests = [...row.matchAll(/`(tests\/[^`]+)`/g)].map(([, name = '']) => name);
    const name = `${promise}… ${file}: ${after.trim() === '' ? 'without ' : ''}${(after.trim() || before.trim()).slice(0, 60)}`;
    found.push({ name, file, start, before, after, tests: tests.filter((test) => !LEFT_OUT.test(test)) });
  }
  return found;
}
