/** `npm run init`: what it takes, what it changes and what it leaves alone, in a copy of what it touches. */
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { check, resolveConfig } from 'prettier';
import { ask } from '../../scripts/fork/ask.ts';
import { suggestName, suggestTitle } from '../../scripts/fork/answers.ts';
import { makeEdits } from '../../scripts/fork/edits.ts';
import { removalOf } from '../../scripts/fork/fork-readme.ts';
import { parseInitLine } from '../../scripts/fork/init-command-line.ts';
import { planInit } from '../../scripts/fork/plan-init.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, ROOT, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

const TOOLS = `/** The tools. */
import { echoMessage } from './echo-message.ts';
import { getGreeting } from './get-greeting.ts';
import type { Tool } from '../mcp/tool.ts';
import { whoami } from './whoami.ts';

/** Every tool of this server. */
export const tools: readonly Tool[] = [getGreeting, echoMessage, whoami];
`;

/** A template as small as it can be; whatever a fork has made of this checkout does not matter. */
const TEMPLATE: Readonly<Record<string, string>> = {
  'package.json': `${JSON.stringify({ name: 'a-template', version: '3.1.4', description: 'd', license: 'MIT' }, null, 2)}\n`,
  'package-lock.json': JSON.stringify({
    name: 'a-template',
    version: '3.1.4',
    lockfileVersion: 3,
    packages: { '': { name: 'a-template', version: '3.1.4' }, 'node_modules/a': { version: '3.1.4' } },
  }),
  'README.md': '# A template\n',
  'CHANGELOG.md': '# Changes\n\n## 3.1.4\n',
  'src/definition.ts': "export const definition = {\n  title: 'A template',\n  tools,\n};\n",
  'src/tools/index.ts': TOOLS,
  'src/tools/whoami.ts': 'whoami',
  'src/tools/echo-message.ts': 'echo',
  'src/tools/get-greeting.ts': 'greeting',
  'tests/app/whoami.test.ts': 'whoami',
  'tests/app/house-rules.test.ts': 'rules',
  'tests/template/documents.test.ts': 'documents',
  'tests/template/deeper/more.test.ts': 'more',
  'docs/01_CONTEXT.md': 'context',
  'docs/ARCHITECTURE.md': 'architecture',
};

/** A folder with that template, committed unless it is to have no repository. */
async function createTemplate({ withGit = true } = {}): Promise<string> {
  const folder = await sandbox.folder();
  for (const [name, text] of Object.entries(TEMPLATE)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  if (!withGit) return folder;
  const identity = ['-c', 'user.name=me', '-c', 'user.email=me@example.com'];
  for (const args of [
    ['init', '-q'],
    ['add', '-A'],
    [...identity, 'commit', '-qm', 'template'],
  ])
    expect(await waitForEnd(sandbox.spawn({ command: 'git', args, cwd: folder }))).toMatchObject({ code: 0 });
  return folder;
}

/** The text of every file in a folder, but for git's. */
async function textsIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('.git/'));
  const texts = await Promise.all(
    names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const),
  );
  return Object.fromEntries(texts);
}

/** Runs the command as npm would. */
async function init(cwd: string, args: readonly string[]) {
  const started = sandbox.spawn({ args: [builtFile('scripts/init.js'), ...args], cwd });
  started.child.stdin.end();
  const { code } = await waitForEnd(started, { timeoutMs: 20_000 });
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

describe('npm run init', () => {
  test('sets the name, title and address, keeps the tools that are named, and removes what belongs to the template', async () => {
    const folder = await createTemplate();

    const done = await init(folder, [
      '--name', 'lesson-finder', '--title', "Ada's lessons", '--address', 'https://lessons.example/', '--keep', 'greeting,echo',
    ]); // prettier-ignore

    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
    const texts = await textsIn(folder);
    expect(Object.keys(texts).toSorted()).toEqual(
      Object.keys(TEMPLATE)
        .filter(
          (name) =>
            !name.startsWith('tests/template/') &&
            !name.endsWith('whoami.ts') &&
            !name.includes('whoami.test'),
        )
        .toSorted(),
    );
    expect(JSON.parse(texts['package.json'] ?? '')).toEqual({ name: 'lesson-finder', version: '0.1.0', description: 'd', homepage: 'https://lessons.example', license: 'MIT' }); // prettier-ignore
    expect(JSON.parse(texts['package-lock.json'] ?? '')).toMatchObject({
      name: 'lesson-finder',
      version: '0.1.0',
      packages: { '': { name: 'lesson-finder', version: '0.1.0' }, 'node_modules/a': { version: '3.1.4' } },
    });
    expect(texts['src/definition.ts']).toContain(`  title: "Ada's lessons",\n`);
    expect(texts['src/tools/index.ts']).toContain('readonly Tool[] = [getGreeting, echoMessage];');
    expect(texts['src/tools/index.ts']).not.toContain('whoami');
    expect(texts['CHANGELOG.md']).toBe('# Changes\n');
    expect(texts['README.md']).toMatch(
      /^# Ada's lessons\n[^]*npm run connect -- --url https:\/\/lessons\.example\n/,
    );
    expect(texts['README.md']).toContain('git rm -rfq --ignore-unmatch tests/template src/tools/whoami.ts');
    expect(done.stdout).toContain('git commit -m "Start lesson-finder"');
    expect(await readdir(folder)).toContain('tests');
    expect(await readdir(path.join(folder, 'tests'))).toEqual(['app']);
  });

  test('keeps what was dropped before in the list of files to remove at a merge', async () => {
    const folder = await createTemplate();
    await writeFile(path.join(folder, 'README.md'), `${removalOf(['tests/template', 'lamps'])}\n`);

    const { deleted } = await planInit(folder, {
      name: 'a',
      title: 'A',
      address: undefined,
      keep: ['greeting', 'echo', 'whoami'],
      dropDocs: false,
    });

    expect(deleted).toEqual(['tests/template', 'lamps']);
  });

  test('writes files that need no formatting', async () => {
    const folder = await createTemplate();
    const config = await resolveConfig(path.join(ROOT, 'README.md'));

    const { edits } = await planInit(folder, {
      name: 'a',
      title: 'A "b" & <c>',
      address: undefined,
      keep: [],
      dropDocs: true,
    });

    const faulty: string[] = [];
    for (const [name, text] of edits)
      if (
        text !== undefined &&
        name !== 'package-lock.json' &&
        !(await check(text, { ...config, filepath: name }))
      )
        faulty.push(name);
    expect(faulty).toEqual([]);
    expect(edits.get('src/tools/index.ts')).toMatch(/^import type \{ Tool \}.*\n\n.*\n.*= \[\];\n$/m);
    expect([...edits].filter(([, text]) => text === undefined).map(([name]) => name)).toContain(
      'docs/01_CONTEXT.md',
    );
    expect(edits.has('docs/ARCHITECTURE.md')).toBe(false);
  });

  test('with --dry-run lists its changes and makes none', async () => {
    const folder = await createTemplate({ withGit: false });

    const { code, stdout } = await init(folder, ['--name', 'x', '--keep', 'none', '--dry-run']);

    expect(code).toBe(0);
    expect(stdout).toContain('  delete  tests/template/documents.test.ts\n');
    expect(stdout).toContain('  write   package.json\n');
    expect(await textsIn(folder)).toEqual(TEMPLATE);
  });

  test('refuses uncommitted changes, a folder without a repository, and a second run', async () => {
    const dirty = await createTemplate();
    await writeFile(path.join(dirty, 'mine.txt'), 'mine');
    const without = await createTemplate({ withGit: false });

    const refused = [await init(dirty, ['--name', 'x']), await init(without, ['--name', 'x'])];
    const forced = await init(dirty, ['--name', 'x', '--force']);
    const again = await init(dirty, ['--name', 'y']);

    expect(refused.map(({ code }) => code)).toEqual([1, 1]);
    expect(refused.map(({ stderr }) => stderr).join('')).toMatch(
      /uncommitted changes[^]*is not a git repository/,
    );
    expect(await textsIn(without)).toEqual(TEMPLATE);
    expect(forced.code).toBe(0);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining('init has run on this fork already'),
    ]);
  });

  test('restores everything when a file cannot be written', async () => {
    const folder = await createTemplate({ withGit: false });
    await mkdir(path.join(folder, 'in-the-way'));

    const edits = new Map([['README.md', 'new'], ['tests/app/whoami.test.ts', undefined], ['in-the-way', 'x']]); // prettier-ignore
    await expect(makeEdits(folder, edits)).rejects.toThrow(
      'in-the-way cannot be changed (EISDIR); nothing has been',
    );

    expect(await textsIn(folder)).toEqual(TEMPLATE);
  });

  test('reports a file that is read-only, and restores those before it', async () => {
    if (process.platform !== 'linux') return;
    const folder = await createTemplate({ withGit: false });
    // Nobody may write there, root neither.
    await symlink('/proc/version', path.join(folder, 'fixed'));

    const edits = new Map([
      ['README.md', 'new'],
      ['fixed', 'x'],
    ]);
    await expect(makeEdits(folder, edits)).rejects.toThrow(
      /^fixed cannot be changed \(E\w+\); nothing has been changed\.$/,
    );

    expect(await readFile(path.join(folder, 'README.md'), 'utf8')).toBe(TEMPLATE['README.md']);
  });

  // By default help.test.ts has it explain itself.
  testInCi('explains itself with --help', async () => {
    const help = await init(await sandbox.folder(), ['--help']);

    expect([help.code, help.stdout, help.stderr]).toEqual([0, expect.stringContaining('--keep TOOLS'), '']);
  });

  test('needs --name without a terminal', async () => {
    const nameless = await init(await createTemplate(), []);

    expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining('give --name')]);
  });
});

describe('the command line', () => {
  test.each([
    [['--name', 'My Server'], 'The name must be'],
    [['--name', 'node_modules'], 'The name must be'],
    [['--name', 'x'.repeat(65)], 'The name must be'],
    [['--title', ' '], 'The title must be'],
    [['--title', 'two\nlines'], 'The title must be'],
    [['--address', 'my-app.example'], 'The address must be'],
    [['--address', 'https://my-app.example/mcp'], 'The address must be'],
    [['--address', 'https://my-app.example/?a=b'], 'The address must be the address alone: remove'],
    [['--address', 'https://ada:secret@my-app.example'], 'The address must be'],
    [['--keep', 'greeting,nothing'], 'The tools that can be kept are: greeting, echo, whoami'],
    [['--nmae', 'x'], 'init has no option --nmae.\n\nUsage: npm run init'],
    [['--name'], '--name needs a value.\n\nUsage: npm run init'],
    [['x'], 'init takes options only.\n\nUsage: npm run init'],
  ])('refuses %j with the reason', (args, words) => {
    expect(() => parseInitLine(args)).toThrow(words);
  });
});

/** A terminal at which nobody sits. */
const silent = () => ({ input: new PassThrough().end(), output: new PassThrough() });

describe('the questions', () => {
  test('show the default of an empty answer, and are repeated after an invalid one', async () => {
    const input = new PassThrough();
    const output = new PassThrough().setEncoding('utf8');
    input.end('No Name\nmy-lessons\n\nnowhere\n\nwhoami\n');

    const answers = await ask({}, 'folder', { input, output });

    expect(answers).toEqual({
      name: 'my-lessons',
      title: 'My lessons',
      address: undefined,
      keep: ['whoami'],
    });
    expect(output.read()).toMatch(
      /^Name of the server \[folder\]: The name must be .*\nName of the server \[folder\]: /,
    );
  });

  test('are skipped for given options, and without an answer nothing is changed', async () => {
    const given = { name: 'a', title: 'A', address: undefined, keep: [] };

    expect(await ask(given, 'x', silent())).toEqual(given);
    await expect(ask({ name: 'a' }, 'x', silent())).rejects.toThrow('nothing has been changed');
  });

  test.each([['My Lessons (copy)', 'my-lessons-copy', 'My lessons copy'], ['___', 'my-server', 'My server'], ['Überall', 'berall', 'Berall']])('suggest for the folder %j the name %j and the title %j', (folder, name, title) => {
    expect(suggestName(folder)).toBe(name);
    expect(suggestTitle(name)).toBe(title);
    expect(parseInitLine(['--name', name, '--title', title])).toMatchObject({ given: { name, title } });
  }); // prettier-ignore
});

test('this checkout has the lines that the command changes, unless it is a fork without them', async () => {
  const folder = await sandbox.folder();
  for (const name of ['package.json', 'package-lock.json', 'src/definition.ts', 'src/tools/index.ts'])
    await cp(path.join(ROOT, name), path.join(folder, name));

  const { edits } = await planInit(folder, { name: 'a-new-name', title: 'A new title', address: undefined, keep: ['greeting', 'echo', 'whoami'], dropDocs: false }); // prettier-ignore

  expect(edits.get('src/definition.ts')).toContain("title: 'A new title',");
  expect(edits.get('src/tools/index.ts')).toBe(await readFile(path.join(ROOT, 'src/tools/index.ts'), 'utf8'));
  expect(edits.get('package-lock.json')?.match(/"a-new-name"/g)).toHaveLength(2);
});
