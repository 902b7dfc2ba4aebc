/** Plans what `npm run init` writes and deletes, as a whole, before any file is touched. */
import { z } from 'zod';
import { CommandError, EXIT } from '../token/command-error.ts';
import { type Answers, type Example, EXAMPLE_NAMES, EXAMPLES } from './answers.ts';
import { type Edits, filesAt, readIfThere } from './edits.ts';
import { deletedIn, forkReadme } from './fork-readme.ts';

/** The first version of a fork, whatever the template's version is. */
const FIRST_VERSION = '0.1.0';

/** The tests of the template's own documents and name, which a fork does not keep. */
export const TEMPLATE_TESTS = 'tests/template';

/** Matches the documents that are about the template. */
const TEMPLATE_DOCS = /^docs\/\d\d_\w+\.md$/;

/** The changes, and the paths that git must delete again when a later version of the template is merged. */
export interface InitPlan {
  readonly edits: Edits;
  /** Arguments of `git rm`. */
  readonly deleted: readonly string[];
}

/**
 * Plans every edit.
 * @throws {CommandError} naming a file that does not exist, or has not the place to change
 */
export async function planInit(
  root: string,
  { dropDocs, ...answers }: Answers & { readonly dropDocs: boolean },
): Promise<InitPlan> {
  const removed = EXAMPLE_NAMES.filter((example) => !answers.keep.includes(example));
  const toolFiles = removed.flatMap((example) => filesOf(example));
  const docs = dropDocs ? (await filesAt(root, 'docs')).filter((name) => TEMPLATE_DOCS.test(name)) : [];
  const read = async (name: string): Promise<string> => {
    const text = await readIfThere(root, name);
    if (text === undefined)
      throw new CommandError(EXIT.failed, `${name} is missing. Run this in the checkout.`);
    return text;
  };

  // The README already names the parts that `npm run drop` has removed before.
  const dropped = deletedIn((await readIfThere(root, 'README.md')) ?? '');
  const deleted = [...new Set([TEMPLATE_TESTS, ...toolFiles, ...docs, ...dropped])];
  const edits = new Map<string, string | undefined>([
    ['package.json', nameManifest(await read('package.json'), answers)],
    ['package-lock.json', nameLock(await read('package-lock.json'), answers.name)],
    ['src/definition.ts', entitle(await read('src/definition.ts'), answers.title)],
    ['src/tools/index.ts', removed.reduce(removeTool, await read('src/tools/index.ts'))],
    ['README.md', forkReadme(answers, deleted)],
    ['CHANGELOG.md', '# Changes\n'],
  ]);
  const gone = [...(await filesAt(root, TEMPLATE_TESTS)), ...docs];
  for (const name of toolFiles) gone.push(...(await filesAt(root, name)));
  for (const name of gone) edits.set(name, undefined);
  return { edits, deleted };
}

/** The files of an example tool: its source and its test. */
function filesOf(example: Example): string[] {
  const { file } = EXAMPLES[example];
  return [`src/tools/${file}.ts`, `tests/app/${file}.test.ts`];
}

const OBJECT = z.record(z.string(), z.unknown());

/** package.json with the fork's name, first version and address. */
function nameManifest(text: string, { name, address }: Answers): string {
  const manifest = OBJECT.parse(JSON.parse(text));
  const { homepage: _theirs, ...rest } = manifest;
  const entries = Object.entries({ ...rest, name, version: FIRST_VERSION });
  // Placed after the description, as npm does.
  const after = entries.findIndex(([key]) => key === 'description') + 1;
  if (address !== undefined) entries.splice(after, 0, ['homepage', address]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/** package-lock.json with the fork's name and first version, both of which are in it twice. */
function nameLock(text: string, name: string): string {
  const lock = OBJECT.parse(JSON.parse(text));
  const packages = OBJECT.parse(lock['packages']);
  const named = { name, version: FIRST_VERSION };
  const itself = { ...OBJECT.parse(packages['']), ...named };
  return `${JSON.stringify({ ...lock, ...named, packages: { ...packages, '': itself } }, null, 2)}\n`;
}

/** src/definition.ts with the fork's title. */
function entitle(text: string, title: string): string {
  const line = /^( *title: )(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"),$/m;
  if (!line.test(text))
    throw new CommandError(
      EXIT.failed,
      `src/definition.ts has no line "title: '…'," in which to put the title.`,
    );
  return text.replace(line, (_all, start: string) => `${start}${quote(title)},`);
}

/** A text as a TypeScript string, with the quotes that Prettier prefers: single ones unless the text has more of them. */
function quote(text: string): string {
  const count = (mark: string): number => text.split(mark).length - 1;
  const mark = count("'") > count('"') ? '"' : "'";
  return mark + text.replaceAll('\\', String.raw`\\`).replaceAll(mark, `\\${mark}`) + mark;
}

/** src/tools/index.ts without one of the examples, if that is in it. */
function removeTool(text: string, example: Example): string {
  const { file, constant } = EXAMPLES[example];
  const statement = `import { ${constant} } from './${file}.ts';\n`;
  return text
    .replace(statement, '')
    .replace(/(: readonly Tool\[\] = )\[([^\]]*)\];/, (_all, start: string, list: string) => {
      const tools = list.split(',').map((tool) => tool.trim());
      return `${start}[${tools.filter((tool) => tool !== '' && tool !== constant).join(', ')}];`;
    });
}
