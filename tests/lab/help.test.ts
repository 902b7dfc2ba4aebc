/** `--help` of every program of the lab, and of the smoke test: the usage, and nothing else happens. */
import { readdir } from 'node:fs/promises';
import { afterEach, expect, test } from '@jest/globals';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const NAMES = ['audit', 'bench', 'clients', 'conformance', 'fuzz', 'licences', 'mutate', 'soak'];

test.each([
  ...NAMES.flatMap((name) => [[name, `lab/${name}/main.js`, '--help'] as const]),
  ['bench', 'lab/bench/main.js', '-h'],
  ['fork-proof', 'lab/fork/main.js', '--help'],
  ['init', 'scripts/init.js', '--help'],
  ['drop', 'scripts/drop.js', '--help'],
  ['smoke', 'scripts/smoke.js', '--help'],
  ['variables', 'scripts/variables.js', '--help'],
])('%s (%s) explains itself with %s and does nothing else', async (name, script, option) => {
  const cwd = await sandbox.folder();

  // What it would work with is given too: none of it may be used.
  const asked = sandbox.spawn({
    args: [builtFile(script), ...(name === 'bench' ? ['--peers'] : []), option],
    cwd,
  });
  const { code } = await waitForEnd(asked);

  expect({ code, stderr: asked.stderr() }).toEqual({ code: 0, stderr: '' });
  expect(asked.stdout()).toMatch(new RegExp(`^Usage: npm run ${name}`));
  expect(await readdir(cwd)).toEqual([]);
});
