/** What the server calls itself is what its package is called. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { SERVER_INFO } from '../../src/info.ts';
import { ROOT } from '../support/process.ts';

test('the server has the name and the version of package.json', async () => {
  const text = await readFile(path.join(ROOT, 'package.json'), 'utf8');

  const { name, version } = JSON.parse(text) as { name: string; version: string };

  expect(SERVER_INFO).toEqual({ name, version });
});
