/** The forks: what each adds, changes or removes, and which checks must pass then. */
import path from 'node:path';
import { ISLANDS } from '../../scripts/fork/islands.mjs';
import { type Checkout, forkOf } from './checkout.ts';
import type { Steps } from './steps.ts';

/** How many of the tests to run. */
export interface Extent {
  /** Whether to leave out what takes longest: no fork runs every test then. */
  readonly quick: boolean;
}

/** Tests that cover most of a server, and depend on no island. */
const SMALL_SUITE = [
  'tests/architecture.test.ts',
  'tests/app/',
  'tests/http/transports/stateless-endpoint.test.ts',
  'tests/http/site/oauth-refusal.test.ts',
  'tests/mcp/server.test.ts',
  'tests/e2e/entries.test.ts',
];

/** The small suite, and its name in the output. */
const SMALL: { readonly what: string; readonly tests: readonly string[] } = {
  what: 'the small suite',
  tests: SMALL_SUITE,
};

/** A fork that adds one of everything and removes nothing: the tests of the template's documents must pass, too. */
export async function forkThatAdds(steps: Steps, template: Checkout): Promise<void> {
  const fork = await steps.take('fork the template', async () => forkOf(template, 'adds'));
  await addEverything(steps, fork, template);
  await check(steps, fork, {
    what: 'the documents’ tests, and the small suite',
    tests: [...SMALL_SUITE, 'tests/template'],
  });
}

/**
 * A fork that runs init, removes the examples, adds one of everything, with a package that has an install script, and merges a later
 * version of the template.
 */
export async function forkOfItsOwn(steps: Steps, template: Checkout, { quick }: Extent): Promise<void> {
  const fork = await steps.take('fork the template', async () => forkOf(template, 'own'));
  await steps.take('npm run init: another name, no examples, no documents of the template', async () => {
    await fork.npm('run', 'init', '--', '--name', 'lesson-finder', '--title', 'Lesson finder', '--address', 'https://lessons.example', '--keep', 'none', '--drop-docs'); // prettier-ignore
    await fork.commit('Start lesson-finder');
  });
  // The one island that every fork is expected to remove.
  await steps.take('build, and npm run drop -- example', async () => {
    await fork.npm('run', '-s', 'build');
    await fork.npm('run', '-s', 'drop', '--', 'example', '--force');
    await fork.commit('Drop the example');
  });
  await addEverything(steps, fork, template);
  await steps.take('add a package with an install script, named in allowScripts', async () =>
    addPackage(fork),
  );
  if (quick) await check(steps, fork, SMALL);
  else await steps.take('npm test', async () => fork.npm('test', '--', '--look-twice', '--maxWorkers=2'));
  await steps.take('a later version of the template', async () => changeTemplate(template));
  await steps.take('merge it, by the commands of the fork’s README, without a conflict', async () =>
    mergeUpstream(fork, template),
  );
  await steps.take('build, and the small suite', async () => {
    await fork.npm('run', '-s', 'build');
    await jest(fork, SMALL_SUITE);
  });
}

/** A fork that removes islands: each by itself, with a type check, and then several at once, with a build and tests. */
export async function forkWithoutIslands(steps: Steps, template: Checkout, { quick }: Extent): Promise<void> {
  const fork = await steps.take('fork the template', async () => forkOf(template, 'islands'));
  await steps.take('build', async () => fork.npm('run', '-s', 'build'));
  const names = ISLANDS.map(({ name }) => name);
  const drop = async (dropped: readonly string[]): Promise<void> => {
    for (const name of dropped) await fork.node('dist/scripts/drop.js', name, '--force');
  };
  // The compiler finds what still imports a removed island. That the rest runs is tested when several are removed at once.
  for (const name of names) {
    await steps.take(`drop ${name}: types`, async () => {
      await drop([name]);
      await fork.npm('run', '-s', 'typecheck');
      await fork.git('reset', '-q', '--hard');
    });
  }
  for (const dropped of [...(quick ? [] : inCompany(names)), names]) {
    await steps.take(`drop ${dropped.join(', ')}: build, types, ${SMALL.what}`, async () => {
      await drop(dropped);
      await fork.npm('run', '-s', 'build');
      await fork.npm('run', '-s', 'typecheck');
      await jest(fork, SMALL.tests);
      await fork.git('reset', '-q', '--hard');
    });
  }
}

/** Divides names into three groups. Islands that depend on each other stand side by side in the table, and so get into different groups. */
function inCompany(names: readonly string[]): readonly (readonly string[])[] {
  return [0, 1, 2].map((group) => names.filter((_name, index) => index % 3 === group));
}

/** Adds one of everything: the tool that README.md shows, a service with a variable, a tool that writes, a prompt and a resource template. */
async function addEverything(steps: Steps, fork: Checkout, template: Checkout): Promise<void> {
  await steps.take('add the tool of README.md', async () => {
    const tool = /```ts\n([^]*?defineTool\([^]*?)```/.exec(await template.read('README.md'))?.[1];
    if (tool === undefined) throw new Error('README.md shows no tool.');
    await fork.write('src/tools/add-numbers.ts', tool);
    await fork.listTool('addNumbers', 'add-numbers');
  });
  await steps.take(
    'add a service with a variable, a tool that writes, a prompt, a resource template',
    async () => {
      await fork.add('src/services', 'src/features', 'src/tools/keep-note.ts', 'tests/app/notes.test.ts');
      await fork.listTool('keepNote', 'keep-note');
      await fork.npm('run', '-s', 'build');
      await fork.write('.env.example', await fork.npm('run', '-s', 'variables'));
      await fork.commit('Add notes');
    },
  );
}

/** Does the parts of `npm test` one by one, with these tests only. */
async function check(steps: Steps, fork: Checkout, { what, tests }: typeof SMALL): Promise<void> {
  await steps.take('build', async () => fork.npm('run', '-s', 'build'));
  for (const part of ['format', 'lint'])
    await steps.take(`npm run ${part}`, async () => fork.npm('run', '-s', part));
  await steps.take(what, async () => jest(fork, tests));
}

/** Runs tests, with those that `npm test` leaves to CI. */
async function jest(fork: Checkout, names: readonly string[]): Promise<void> {
  await fork.shell(`CI=true npm run -s jest -- --maxWorkers=2 ${names.join(' ')}`);
}

/** Adds a package from a file, so that no registry is needed, and the entries that a fork must make for it. */
async function addPackage(fork: Checkout): Promise<void> {
  const source = path.resolve('lab/fork/files/vendor/polite-words');
  await fork.write('vendor/README.md', 'Packages that are in no registry.\n');
  await fork.npm('pack', source, '--pack-destination', 'vendor', '--silent');
  await fork.edit('package.json', (text) =>
    text
      .replace('"allowScripts": {', '"allowScripts": {\n    "polite-words": true,')
      // A package that no registry has is bundled into the package that `npm pack` makes.
      .replace('"dependencies": {', '"bundleDependencies": [\n    "polite-words"\n  ],\n  "dependencies": {'),
  );
  await fork.npm('install', './vendor/polite-words-1.0.0.tgz', '--offline', '--no-audit', '--no-fund');
  if (!(await fork.has('node_modules/polite-words/index.js'))) throw new Error('npm has not installed it.');
  await fork.add('src/tools/ask-politely.ts');
  await fork.listTool('askPolitely', 'ask-politely');
  await fork.npm('run', '-s', 'licences');
  await fork.commit('Ask politely');
}

/** Changes the template: files that only its maintainers change, and files that a fork has changed, emptied or deleted. */
async function changeTemplate(template: Checkout): Promise<void> {
  const changes: readonly (readonly [string, (text: string) => string])[] = [
    ['src/http/errors.ts', (text) => `${text}\n// A later version.\n`],
    [
      'src/tools/index.ts',
      (text) => text.replace('Every tool of this server.', 'Every tool that this server has.'),
    ],
    ['src/tools/whoami.ts', (text) => text.replace('Who am I', 'Who I am')],
    ['src/definition.ts', (text) => text.replace(/title: '.*'/, "title: 'A later title'")],
    ['tests/template/documents.test.ts', (text) => `${text}\n// A later version.\n`],
    ['tests/app/whoami.test.ts', (text) => `${text}\n// A later version.\n`],
    ['docs/ARCHITECTURE.md', (text) => `${text}\nA later version.\n`],
    ['docs/01_CONTEXT.md', (text) => `${text}\nA later version.\n`],
    ['README.md', (text) => `${text}\nA later version.\n`],
    ['examples/progress/course.ts', (text) => `${text}\n// A later version.\n`],
    ['CHANGELOG.md', (text) => text.replace('## Unreleased\n', '## Unreleased\n\n- Something later.\n')],
    ['package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "later": "node --version",')],
  ];
  for (const [name, change] of changes) if (await template.has(name)) await template.edit(name, change);
  for (const name of ['tests/template/later.test.ts', 'examples/progress/later.ts'])
    await template.write(name, '// A later version.\n');
  await template.commit('A later version');
}

/** Runs the commands of the fork's README, except `npm test`, which takes too long here. */
async function mergeUpstream(fork: Checkout, template: Checkout): Promise<void> {
  const readme = await fork.read('README.md');
  const block = /## Keep up with the template\n[^]*?```sh\n([^]*?)```/.exec(readme)?.[1] ?? '';
  const commands = block.replace('URL-OF-THE-TEMPLATE', template.folder).trim().split('\n');
  if (commands.length < 5) throw new Error('README.md does not say how to keep up with the template.');
  for (const command of commands.filter((line) => line !== 'npm test')) {
    const isMerge = command.includes(' merge ');
    // git exits with 1 where the template has changed what the fork has deleted; the next command resolves that.
    await (isMerge ? fork.shell(command).catch(() => '') : fork.shell(command));
  }
  const status = await fork.git('status', '--porcelain');
  if (status !== '') throw new Error(`Something is left after the merge:\n${status}`);
  if ((await fork.read('README.md')) !== readme) throw new Error('The README is not the fork’s any more.');
  for (const name of ['tests/template', 'src/tools/whoami.ts', 'docs/01_CONTEXT.md', 'examples'])
    if (await fork.has(name)) throw new Error(`${name} is back.`);
  for (const [name, words] of [
    ['src/http/errors.ts', 'A later version'],
    ['docs/ARCHITECTURE.md', 'A later version'],
    ['package.json', '"later"'],
    ['package.json', 'lesson-finder'],
    ['src/definition.ts', 'Lesson finder'],
    ['src/tools/index.ts', 'askPolitely'],
  ] as const)
    if (!(await fork.read(name)).includes(words)) throw new Error(`${name} has lost "${words}".`);
}
