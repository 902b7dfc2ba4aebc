/** docs/06_LESSONS_LEARNED.md: behind every lesson stands a test that exists, by its file and its name. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { readDocument } from './documents.ts';
import { ROOT } from '../support/process.ts';

/** A lesson: its heading and the tests that it names. */
interface Lesson {
  readonly heading: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/** The lessons, each of which has a heading of the third level. */
async function readLessons(): Promise<Lesson[]> {
  const { text } = await readDocument('docs/06_LESSONS_LEARNED.md');
  const parts = text.split(/^### /m).slice(1);
  return parts.map((part) => {
    const [heading = ''] = part.split('\n');
    const shownBy = /^Shown by [^]*?(?=\n\n|\n*$(?![^]))/m.exec(part)?.[0].replaceAll('\n', ' ') ?? '';
    const names = [...shownBy.matchAll(/`(tests\/[\w/.-]+)`: ((?:"[^"]+"(?:, )?)+)/g)];
    const tests = names.flatMap(([, file = '', list = '']) =>
      [...list.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
    );
    return { heading, tests };
  });
}

/** The names of tests in a file: the strings and templates in it, templates as they are written. */
async function testNamesIn(file: string): Promise<Set<string>> {
  const tree = ts.createSourceFile(
    file,
    await readFile(path.join(ROOT, file), 'utf8'),
    ts.ScriptTarget.ES2023,
    true,
  );
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) names.add(node.text);
    if (ts.isTemplateExpression(node)) names.add(node.getText().slice(1, -1));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return names;
}

test('every lesson names a test that shows it', async () => {
  const lessons = await readLessons();

  expect(lessons.length).toBeGreaterThan(15);
  expect(lessons.filter(({ tests }) => tests.length === 0).map(({ heading }) => heading)).toEqual([]);
});

test('every test that a lesson names is in its file', async () => {
  const named = (await readLessons()).flatMap(({ tests }) => tests);

  const missing: string[] = [];
  for (const { file, name } of named)
    if (!(await testNamesIn(file)).has(name)) missing.push(`${file}: ${name}`);

  expect(missing).toEqual([]);
});

test('the command that runs a test names one', async () => {
  const { text } = await readDocument('docs/06_LESSONS_LEARNED.md');
  const commands = [...text.matchAll(/^npm run -s jest -- (\S+) -t "(.*)"$/gm)];

  const runs = await Promise.all(
    commands.map(async ([, file = '', part = '']) =>
      [...(await testNamesIn(file))].some((name) => name.includes(part)),
    ),
  );

  expect(runs).toEqual([true]);
});

test('every test of the libraries and clients beside the document belongs to a lesson', async () => {
  const named = new Set((await readLessons()).flatMap(({ tests }) => tests.map(({ name }) => name)));

  const text = await readFile(path.join(ROOT, 'tests/template/lessons-libraries.test.ts'), 'utf8');
  const names = [...text.matchAll(/^test\('(.*)',/gm)].map(([, name = '']) => name);

  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !named.has(name))).toEqual([]);
});
