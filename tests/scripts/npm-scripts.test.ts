/** The scripts of package.json run in every shell that npm uses: sh, and cmd.exe on Windows. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { ROOT } from '../support/process.ts';

let scripts: Record<string, string>;
beforeAll(async () => {
  ({ scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  });
});

test('no script uses what only one kind of shell knows', () => {
  const special = Object.values(scripts).filter((script) => /[$`'"%;|<>()\\^]|(^|&& )[A-Z_]+=/.test(script));

  expect(special).toEqual([]);
});

test('every server takes the place of the shell, which would keep signals to itself; cmd.exe finds a file for that', async () => {
  const servers = Object.values(scripts).filter((script) => /\b(start|dev)\.mjs\b/.test(script));

  const lines = (await readFile(path.join(ROOT, 'exec.cmd'), 'utf8'))
    .split(/\r?\n/)
    .filter((line) => line !== '');

  expect(servers.length).toBeGreaterThan(1);
  expect(servers.filter((script) => !script.startsWith('exec node '))).toEqual([]);
  expect(lines).toEqual([expect.stringMatching(/^@rem /), '@%*']);
});
