/** SECURITY.md: behind every promise stands the name of a test file that is there. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { findBreaches } from '../../lab/mutate/breaches.ts';
import { BREACHES, NOT_BROKEN } from '../../lab/mutate/promised.ts';
import { isTakenOut } from './documents.ts';
import { ROOT } from '../support/process.ts';

let text: string;
beforeAll(async () => {
  text = await readFile(path.join(ROOT, 'SECURITY.md'), 'utf8');
});

/** The rows of the tables of promises. */
function promises(): string[] {
  const part = /^## Promised$([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
  return part.split('\n').filter((line) => line.startsWith('|') && !/^\| *(promise|-)/.test(line));
}

test('every promise names a test file, and each of them exists', () => {
  const rows = promises().map((row) => ({ row, files: [...row.matchAll(/`(tests\/[\w/.-]+)`/g)].map(([, name = '']) => name) }));

  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ files }) => files.length === 0)).toEqual([]);
  const gone = rows.flatMap(({ files }) => files).filter((name) => !existsSync(path.join(ROOT, name)));
  expect(gone.filter((name) => !isTakenOut(name))).toEqual([]);
}); // prettier-ignore

test('every breach of `npm run mutate -- --promised` is of an existing promise, with tests that can notice it', async () => {
  const breaches = await findBreaches(ROOT);

  expect(breaches.length).toBeGreaterThan(20);
  expect(breaches.filter(({ tests = [] }) => tests.length === 0)).toEqual([]);
});

test('every promise has a breach, or a reason why a test can see no breach of one line', () => {
  const known = [...BREACHES, ...NOT_BROKEN].map(({ promise }) => promise);

  expect(promises().filter((row) => !known.some((promise) => row.startsWith(`| ${promise}`)))).toEqual([]);
});

test.each(['Promised', 'Not promised', 'What whoever deploys must do', 'Reporting'])(
  'says what is %s',
  (title) => {
    expect(text).toMatch(new RegExp(`^## ${title}$`, 'm'));
  },
);

test('names commands that package.json has', async () => {
  const { scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: object;
  };

  const named = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(([, name = '']) => name);

  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
