/** `--help` of every program of the lab, and of the smoke test: the usage, and nothing else happens. */
import { readdir } from 'node:fs/promises';
import { afterEach, expect } from '@jest/globals';
import { testEach, testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const NAMES = ['audit', 'bench', 'clients', 'conformance', 'fuzz', 'licences', 'mutate', 'soak'];

testEach([
  ['audit', 'lab/audit/main.js', '--foo', 'audit has no option --foo.'],
  ['licences', 'lab/licences/main.js', '--chek', 'licences has no option --chek.'],
  ['licences', 'lab/licences/main.js', '--check now', 'licences takes options only.'],
  ['bench', 'lab/bench/main.js', '--foo', 'bench has no option --foo.'],
  ['bench', 'lab/bench/main.js', '--no-such-option', 'bench has no option --no-such-option.'],
  ['bench', 'lab/bench/main.js', '--rounds=0', '--rounds takes a whole number from 1 to 100.'],
  ['bench', 'lab/bench/main.js', '--quick --update-docs', '--update-docs takes no --quick: '],
  [
    'bench',
    'lab/bench/main.js',
    '--figures=a.json --peers',
    '--figures reads what was measured: it takes no --peers.',
  ],
  ['clients', 'lab/clients/main.js', 'localhost:8000', 'The URL must begin with https:// or http://'],
  ['conformance', 'lab/conformance/main.js', '--only=x', '--only takes one of: '],
  ['fork-proof', 'lab/fork/main.js', '--foo', 'fork-proof has no option --foo.'],
  ['fuzz', 'lab/fuzz/main.js', '--count=x', '--count takes a whole number.'],
  ['mutate', 'lab/mutate/main.js', '--foo', 'mutate has no option --foo.'],
  ['mutate', 'lab/mutate/main.js', '--sample=abc', '--sample takes a whole number from 1 to 999999999.'],
  ['mutate', 'lab/mutate/main.js', '--seed=0', '--seed takes a whole number from 1 to 999999999.'],
  ['soak', 'lab/soak/main.js', 'x', 'soak takes options only.'],
  ['variables', 'scripts/variables.js', '--foo', 'variables takes no arguments.'],
  ['verify', 'lab/verify/main.js', '--foo', 'verify has no option --foo.'],
])('%s (%s) says what is wrong with %s, and how it is used', async (name, script, argument, words) => {
  const args = [builtFile(script), ...argument.split(' ')];
  const asked = sandbox.spawn({ args, cwd: await sandbox.folder() });

  expect(await waitForEnd(asked)).toMatchObject({ code: 2 });
  expect(asked.stderr()).toMatch(new RegExp(`^${words}[^]*\n\nUsage: npm run ${name}`));
});

testInCi.each([
  { args: ['--only=src/tpyo'] },
  { args: ['--named', '--only=tpyo'] },
  { args: ['--only=src/auth', '--only=tpyo'] },
])('mutate with $args has nothing to do, which is no success', async ({ args }) => {
  const cwd = await sandbox.folder();
  const asked = sandbox.spawn({ args: [builtFile('lab/mutate/main.js'), ...args, '--list'], cwd });

  expect(await waitForEnd(asked, { timeoutMs: 30_000 })).toMatchObject({ code: 1 });
  expect(asked.stderr()).toMatch(/^No mutant is of --only (src\/)?tpyo; --list shows which there are\.\n$/);
});

testInCi.each([
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
