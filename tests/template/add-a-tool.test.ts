/** The tool, the service, the prompt and the resource that README.md and docs/03_LOCAL_DEVELOPMENT.md have one add: they compile and work, in a copy of the sources. */
import { cp, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { connectClient } from '../support/clients.ts';
import { compileInto } from '../support/compiled-source.ts';
import { fencesOf, isTakenOut, readDocument } from './documents.ts';
import { testInCi } from '../support/in-ci.ts';
import { connectKind } from '../support/kinds.ts';
import { createSandbox, ROOT, waitFor, waitForEnd } from '../support/process.ts';
import { parseLog } from '../support/server-process.ts';

const sandbox = createSandbox();
afterAll(async () => sandbox.close());

/** The tool's code as the document has it. */
async function toolIn(document: string): Promise<string> {
  const { text } = await readDocument(document);
  const tools = fencesOf(text).filter(({ code }) => code.includes('defineTool('));
  expect(tools).toHaveLength(1);
  return tools[0]?.code ?? '';
}

/** The code in docs/03_LOCAL_DEVELOPMENT.md that declares something so. */
async function codeInDocument(declares: string): Promise<string> {
  const { text } = await readDocument('docs/03_LOCAL_DEVELOPMENT.md');
  return fencesOf(text).find(({ code }) => code.includes(declares))?.code ?? '';
}

/** A list, as `src/tools/index.ts` and `src/services/index.ts` are: what is in it and the file of each. */
function listOf(type: 'Tool' | 'Service' | 'Feature', entries: Readonly<Record<string, string>>): string {
  const names = Object.keys(entries);
  return [
    `import type { ${type} } from '../mcp/${type.toLowerCase()}.ts';`,
    ...names.map((name) => `import { ${name} } from '${entries[name]}';`),
    `export const ${type.toLowerCase()}s: readonly ${type}[] = [${names.join(', ')}];`,
  ].join('\n');
}

/** What the documents have one write, beside the lists of it. */
const ADDED = ['src/tools', 'src/services', 'src/features'];

/** A copy of what the compiler needs, with the tools of both documents in it and in the list, as they say. */
async function copyWithBoth(): Promise<string> {
  const folder = await sandbox.folder();
  const needed = ['src', 'public', 'package.json', 'tsconfig.json'];
  for (const name of needed.filter((one) => !isTakenOut(one)))
    await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));

  // Both documents add the same tool: the second one gets a name of its own beside the first.
  const second = (await toolIn('docs/03_LOCAL_DEVELOPMENT.md'))
    .replace("'add_numbers'", "'add_as_well'")
    .replace('const addNumbers', 'const addAsWell');
  // Lists of their own: a fork has others, and may have added this very tool.
  const files = {
    'src/tools/add-numbers.ts': await toolIn('README.md'),
    'src/tools/add-as-well.ts': second,
    'src/tools/index.ts': listOf('Tool', { addNumbers: './add-numbers.ts', addAsWell: './add-as-well.ts' }),
    'src/services/lessons.ts': await codeInDocument('defineService('),
    'src/services/index.ts': listOf('Service', { lessons: './lessons.ts' }),
    'src/features/study.ts': await codeInDocument('definePrompt('),
    'src/features/index.ts': listOf('Feature', { study: './study.ts' }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), `${text}\n`);
  return folder;
}

testInCi(
  'the tools in README.md and docs/03_LOCAL_DEVELOPMENT.md compile in strict mode beside the service, are listed and add',
  async () => {
    const cwd = await copyWithBoth();

    // As `npm run typecheck` has it, for what was added: the compiler takes ten times as long, mostly for the rest of the house.
    const checker = path.join(ROOT, 'node_modules/oxlint/bin/oxlint');
    const args = [checker, '--type-aware', '--type-check', '--allow', 'all', ...ADDED];
    const check = sandbox.spawn({ args, cwd });
    const { code } = await waitForEnd(check, { timeoutMs: 120_000 });
    expect({ code, problems: check.stdout() }).toEqual({
      code: 0,
      problems: expect.stringMatching(/^Found 0 warnings and 0 errors\.\nFinished in \S+ on [1-9]\d* files /),
    });
    await compileInto(path.join(cwd, 'dist/src'), path.join(cwd, 'src'));

    const refused = sandbox.spawn({
      args: ['dist/src/main.js'],
      cwd,
      env: { PORT: '0', LESSONS_URL: 'nowhere' },
    });
    const ending = await waitForEnd(refused);
    expect({ code: ending.code, words: refused.stderr() }).toEqual({
      code: 1,
      words: 'The configuration cannot be used:\n  LESSONS_URL must be an address\n',
    });

    const server = sandbox.spawn({ args: ['dist/src/main.js'], cwd, env: { PORT: '0' } });
    const url = await waitFor(
      `listening\n${server.stderr()}`,
      () =>
        parseLog(server.stderr()).flatMap(({ msg, url: listening }) =>
          msg === 'listening' ? [String(listening)] : [],
        )[0],
    );
    const client = await connectClient('v2 http', { url });
    const { tools } = await client.listTools();
    const sums = [
      await client.call('add_numbers', { a: 20, b: 22 }),
      await client.call('add_as_well', { a: 20, b: 22 }),
    ];
    const wrong = await client.call('add_numbers', { a: 'x', b: 22 });
    await client.close();
    const reader = await connectKind(url, { kind: 'http', token: 'none' });
    const { messages } = await reader.getPrompt({ name: 'drill', arguments: { lesson: 'ink' } });
    const { contents } = await reader.readResource({ uri: 'lesson://ink' });
    await reader.close();

    expect(tools.map(({ name }) => name)).toEqual(['add_numbers', 'add_as_well']);
    expect(sums).toEqual(Array.from({ length: 2 }, () => ({ text: '42', isError: false })));
    expect(wrong.isError).toBe(true);
    expect(messages).toMatchObject([
      { content: { text: 'Ask Anonymous five questions about the lesson ink.' } },
    ]);
    expect(contents).toMatchObject([{ text: '# ink', mimeType: 'text/markdown' }]);
  },
  180_000,
);

test('the prompt and the resource that the document tests without a server are exported', async () => {
  const { text } = await readDocument('docs/03_LOCAL_DEVELOPMENT.md');
  const code = await codeInDocument('definePrompt({');

  const named = [...text.matchAll(/`(\w+)\.(?:run|read)\(\{.*?createToolContext\(\)/g)].map(
    ([, name]) => name,
  );

  expect(named).toEqual(['drill', 'lessons']);
  for (const name of named) expect(code).toContain(`export const ${name} = `);
});
