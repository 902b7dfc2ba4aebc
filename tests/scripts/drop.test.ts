/** `npm run drop`: what it says, and that it changes everything or nothing. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { makeEdits } from '../../scripts/fork/edits.ts';
import { deletedIn, removalOf, upstreamCommands } from '../../scripts/fork/fork-readme.ts';
import type { Island } from '../../scripts/fork/island.ts';
import { ISLANDS } from '../../scripts/fork/islands.mjs';
import { planDrop } from '../../scripts/fork/plan-drop.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const LIGHT: Island = {
  name: 'light',
  what: 'the light',
  without: 'it is dark',
  files: ['src/light.ts', 'lamps'],
  wiring: [
    { file: 'src/house.ts', linesWith: 'light' },
    { file: 'package.json', part: ' && lit' },
  ],
  tests: ['tests/light.test.ts', 'tests/gone.test.ts'],
  usedBy: /bright/,
  packages: [],
};

/** Git asks who makes a commit. */
const AS_SOMEBODY = {
  GIT_AUTHOR_NAME: 'somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.com',
  GIT_COMMITTER_NAME: 'somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.com',
};

/** A house with a light. */
async function createHouse(changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await sandbox.folder();
  const files = {
    'src/light.ts': 'on',
    'src/house.ts': "import './light.ts';\ndoor();\nlight();\n",
    'lamps/deep/lamp.svg': 'lamp',
    'package.json': '{ "check": "warm && lit" }',
    'tests/light.test.ts': 'light',
    'tests/door.test.ts': 'bright behind the door',
    ...changes,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

test("removes files, folders, lines, parts of lines and the island's tests, and names other tests that use it", async () => {
  const house = await createHouse();

  const { edits, tests } = await planDrop(house, LIGHT);
  await makeEdits(house, edits);

  expect(tests).toEqual(['tests/door.test.ts']);
  expect(await readFile(path.join(house, 'src/house.ts'), 'utf8')).toBe('door();\n');
  expect(await readFile(path.join(house, 'package.json'), 'utf8')).toBe('{ "check": "warm" }');
  for (const gone of ['src/light.ts', 'lamps', 'tests/light.test.ts'])
    await expect(readFile(path.join(house, gone))).rejects.toThrow('ENOENT');
});

test('keeps the island removed at the next merge, for which the commands of the README cause no conflict', async () => {
  const template = await createHouse({
    'README.md': `# A house\n\n\`\`\`sh\n${upstreamCommands(['tests/template']).join('\n')}\n\`\`\`\n`,
  });
  const fork = await sandbox.folder();
  const shell = async (cwd: string, ...lines: readonly string[]): Promise<string> => {
    const run = sandbox.spawn({ command: 'sh', args: ['-c', lines.join('\n')], cwd, env: AS_SOMEBODY });
    await waitForEnd(run);
    return run.stdout();
  };
  await shell(template, 'git init -q -b main', 'git add -A', 'git commit -qm template');
  await shell(fork, `git clone -q '${template}' .`);
  await makeEdits(fork, (await planDrop(fork, LIGHT)).edits);
  await shell(fork, 'git add -A', 'git commit -qm dropped');
  await shell(
    template,
    'echo brighter >> src/light.ts',
    'echo another > lamps/another.svg',
    'echo knock >> tests/door.test.ts',
    'git add -A',
    'git commit -qm later',
  );

  const readme = await readFile(path.join(fork, 'README.md'), 'utf8');
  const [, commands = ''] = /```sh\n([^]*?)```/.exec(readme) ?? [];
  await shell(fork, commands.replace('URL-OF-THE-TEMPLATE', template).replace('npm test\n', ''));

  expect(await shell(fork, 'git status --porcelain', 'git log --format=%s -1')).toMatch(/^Merge .*\n$/);
  expect(await shell(fork, 'git ls-files')).toBe(
    'README.md\npackage.json\nsrc/house.ts\ntests/door.test.ts\n',
  );
  expect(await readFile(path.join(fork, 'tests/door.test.ts'), 'utf8')).toContain('knock');
});

test('lists the paths that a README without those commands does not remove, and passes them to npm run init', async () => {
  const bare = await createHouse();
  const listing = await createHouse({ 'README.md': `${removalOf(['tests/template'])}\n` });

  const { edits } = await planDrop(listing, LIGHT);

  const paths = ['src/light.ts', 'lamps', 'tests/light.test.ts', 'tests/gone.test.ts'];
  expect(await planDrop(bare, LIGHT)).toMatchObject({ unlisted: paths });
  expect(deletedIn(edits.get('README.md') ?? '')).toEqual(['tests/template', ...paths]);
});

test('removes the islands that depend on the island too, unless they are gone already', async () => {
  const lamp: Island = { ...LIGHT, name: 'lamp', files: ['lamps'], wiring: [], tests: [] };
  const power: Island = {
    ...LIGHT,
    name: 'power',
    files: ['src/house.ts'],
    wiring: [],
    tests: [],
    carries: ['lamp', 'fan'],
  };
  const fan: Island = { ...lamp, name: 'fan', files: ['fans'] };
  const house = await createHouse();

  const { edits } = await planDrop(house, power, [lamp, power, fan]);

  expect([...edits.keys()]).toEqual(['lamps/deep/lamp.svg', 'src/house.ts']);
});

test('names the files of a fork that import what is removed, in whatever form', async () => {
  const house = await createHouse({
    'src/tools/reading.ts': "import { light } from '../light.ts';\n",
    'src/tools/sewing.ts': "const { light } = await import('../light.ts');\n",
    'src/tools/sleeping.ts': "import { door } from '../house.ts'; // no light\n",
    'tests/app/reading.test.ts': "import { light } from '../../src/light.ts';\n",
  });

  const { importers } = await planDrop(house, LIGHT);

  expect(importers).toEqual(['src/tools/reading.ts', 'src/tools/sewing.ts', 'tests/app/reading.test.ts']);
});

test.each([
  ['a line is not there', { 'src/house.ts': 'door();\n' }, 'src/house.ts has no line with "light"'],
  ['a part is not there', { 'package.json': '{}' }, 'package.json has no " && lit"'],
])('changes nothing when %s', async (_what, changes, words) => {
  await expect(planDrop(await createHouse(changes), LIGHT)).rejects.toThrow(words);
});

test.each([
  { args: ['--help'], code: 0, first: 'Usage: npm run drop' },
  { args: ['nothing'], code: 2, first: 'There is no part with the name nothing.\n' },
  { args: ['metrics', 'admin'], code: 2, first: 'drop removes one part at a time' },
  { args: [], code: 2, first: 'drop needs the name of the part to remove.\n' },
  { args: ['page', '--dryrun'], code: 2, first: 'drop has no option --dryrun.\n' },
])('with $args lists the islands and exits with $code', async ({ args, code, first }) => {
  const asked = sandbox.spawn({ args: [builtFile('scripts/drop.js'), ...args], cwd: await sandbox.folder() });

  expect(await waitForEnd(asked)).toMatchObject({ code });
  const said = (code === 0 ? asked.stdout() : asked.stderr()).replaceAll(/ +/g, ' ');
  expect(said).toMatch(new RegExp(`^${first}`));
  for (const { name, what } of ISLANDS) expect(said).toContain(` ${name} ${what}\n`);
});

test('says of an island whose files have all gone that it has been removed before', async () => {
  const house = await createHouse();
  await makeEdits(house, (await planDrop(house, LIGHT)).edits);

  await expect(planDrop(house, LIGHT)).rejects.toThrow(
    'No file of light is there, as if it had been removed before: nothing has been changed.',
  );
});

test('removes what is left of an island when a folder of it has gone with another one', async () => {
  const attic: Island = { ...LIGHT, name: 'attic', files: ['lamps'], wiring: [], tests: [] };
  const bulb: Island = { ...LIGHT, files: ['src/light.ts', 'lamps/deep'], tests: [] };
  const house = await createHouse();
  await makeEdits(house, (await planDrop(house, attic)).edits);

  await expect(planDrop(house, bulb)).rejects.toThrow('lamps/deep is missing: nothing has been changed.');
  const { edits } = await planDrop(house, bulb, [attic, bulb]);

  expect([...edits.keys()].toSorted()).toEqual(['package.json', 'src/house.ts', 'src/light.ts']);
});
