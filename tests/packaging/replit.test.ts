/** Tests that what Replit is told agrees with the server and with the other ways to run it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/config.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('one Node major everywhere: module, nix package and image', async () => {
  const major = /modules = \["nodejs-(\d+)"\]/.exec(await read('.replit'))?.[1];

  expect(major).toBeDefined();
  expect(await read('replit.nix')).toContain(`pkgs.nodejs_${major}\n`);
  expect(await read('Dockerfile')).toContain(`FROM node:${major}-`);
});

test('one port everywhere: the default of the server, mapped to 80', async () => {
  const { port } = parseConfig({});
  const replit = await read('.replit');

  expect(replit).toContain(`\nPORT = "${port}"\n`);
  expect(replit).toContain(`[[ports]]\nlocalPort = ${port}\nexternalPort = 80\n`);
  expect(await read('Dockerfile')).toContain(`\nEXPOSE ${port}\n`);
  expect(await read('compose.yaml')).toMatch(
    new RegExp(`- '\\$\\{DOMAIN:\\+127\\.0\\.0\\.1:\\}${port}:${port}'\\n`),
  );
});

test('a deployment starts the compiled server itself, without npm in between', async () => {
  const deployment = (await read('.replit')).split('[deployment]')[1];

  expect(deployment).toContain('build = ["node", "scripts/prepare.mjs"]');
  expect(deployment).toContain('run = ["node", "dist/src/main.js"]');
});

test('secrets stay out of a deployment', async () => {
  const ignored = (await read('.replitignore')).split('\n');

  expect(ignored).toEqual(expect.arrayContaining(['tokens.json', '.env', '.env.*']));
});

/** A file of the checkout. */
async function read(name: string): Promise<string> {
  return readFile(path.join(ROOT, name), 'utf8');
}
