/** What this template promises of its own dependencies beyond what it asks of a fork's. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { describeLicences, findUnknownLicences } from '../../lab/licences/describe.ts';
import { ROOT } from '../support/process.ts';

test('no package of the template runs anything at install, and none that every installation has even wants to', async () => {
  const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; optional?: boolean }>;
  };
  const manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    allowScripts: Record<string, boolean>;
  };

  const wanting = Object.entries(lock.packages).filter(
    ([, { hasInstallScript }]) => hasInstallScript === true,
  );

  expect(wanting.filter(([, { dev, optional }]) => dev !== true && optional !== true)).toEqual([]);
  expect(Object.values(manifest.allowScripts).filter(Boolean)).toEqual([]);
});

test('the licences of the runtime packages are listed as package-lock.json has them; npm run licences writes the list', async () => {
  const lockText = await readFile(path.join(ROOT, 'package-lock.json'), 'utf8');
  const file = path.join(ROOT, 'docs/LICENCES.md');

  const list = await format(describeLicences(lockText), {
    ...(await resolveConfig(file)),
    parser: 'markdown',
  });

  expect(await readFile(file, 'utf8')).toBe(list);
  expect(findUnknownLicences(lockText)).toEqual([]);
});
