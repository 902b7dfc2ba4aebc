/** What the server calls itself is what its package is called, wherever it is started. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { packageFolder, readPackage } from '../src/package.ts';
import { ROOT } from './support/process.ts';

test('the server has the name and the version of package.json', async () => {
  const text = await readFile(path.join(ROOT, 'package.json'), 'utf8');

  const { name, version } = JSON.parse(text) as { name: string; version: string };

  expect(readPackage()).toEqual({ name, version });
  expect(packageFolder()).toBe(ROOT);
});
