/** Every document: its links, paths, npm scripts and variables are those of the repository, and it keeps to its size. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { planInit } from '../../scripts/fork/plan-init.ts';
import {
  type Document,
  fencesOf,
  isScriptOfIsland,
  isTakenOut,
  inlineCodeOf,
  proseOf,
  readDocument,
  readDocuments,
  tableRowsOf,
} from './documents.ts';
import { ROOT } from '../support/process.ts';

/** Variables of other programs, which documents may name. */
const FOREIGN_VARIABLES = new Set([
  // A misspelling, as CHANGELOG.md shows one.
  // Of mcp-remote's entry in a configuration, and of OpenAI's clients.
  'AUTH_HEADER',
  // What a configuration that is checked in has its readers set.
  'MCP_SERVER_TOKEN',
  'OPENAI_API_KEY',
  // Node's own.
  'NODE_OPTIONS',
  // Of compose.yaml.
  'DOMAIN',
  'MCP_UID',
  // Of the smoke test.
  'SMOKE_TOKEN',
  // Of the example of a service.
  'LESSONS_URL',
  // Of the worked application.
  'HINTS_URL',
  // OpenTelemetry's own.
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_SERVICE_NAME',
  // Set by Replit.
  'REPL_ID',
  'REPLIT_DOMAINS',
]);

/** Files that documents name and the repository must not hold: the user's own, or made by a command. */
const OTHER_FILES = new Set([
  // An import, as CHANGELOG.md has it.
  '../mcp/tool.ts',
  '.cursor/mcp.json',
  '.dev/',
  '.env',
  '.vscode/mcp.json',
  'add-numbers.ts',
  'claude_desktop_config.json',
  'src/tools/add-numbers.ts',
  'tokens.json',
  'tokens/tokens.json',
]);

let documents: Document[];
let files: string[];
beforeAll(async () => {
  documents = await readDocuments();
  files = listFiles('');
});

/** The files of the checkout, without what is installed or built. */
function listFiles(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [name];
    return /^(node_modules|dist|\.git|results)$/.test(entry.name) ? [] : [name].concat(listFiles(name));
  });
}

/** What a test found, each with the document it stands in. */
function inDocuments(find: (document: Document) => readonly string[]): string[] {
  return documents.flatMap((document) => find(document).map((found) => `${document.name}: ${found}`));
}

/** Whether a name in backticks looks like a file or a folder of a repository. */
function looksLikePath(code: string): boolean {
  if (/^[\w.-]+(\/[\w.{}-]+)*\/$/.test(code)) return true;
  return /^[\w./-]+\.(ts|mjs|js|md|json|yaml|nix|html|css)$/.test(code) && !code.startsWith('/');
}

/** Whether the repository has a file or folder of this path, whole or from some folder on. */
function hasPath(code: string): boolean {
  const name = code.replace(/\/$/, '');
  return files.some((file) => file === name || file.endsWith(`/${name}`));
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** What is wrong with the relative links of a document. */
function brokenLinks({ name, text }: Document): string[] {
  const links = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return !URL.canParse(link);
    const [target = '', anchor] = link.split('#');
    const file = target === '' ? path.join(ROOT, name) : path.join(ROOT, path.dirname(name), target);
    if (!existsSync(file)) return true;
    if (anchor === undefined) return false;
    const headings = [...proseOf(readFileSync(file, 'utf8')).matchAll(/^#+ (.*)$/gm)];
    return !headings.some(([, heading = '']) => anchorOf(heading) === anchor);
  });
}

/** The variables that a document names: in backticks, or set or read in a command. */
function variablesOf({ text }: Document): string[] {
  const code = [...inlineCodeOf(text), ...fencesOf(text).map((fence) => fence.code)].join('\n');
  const withUnderscore = [...code.matchAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/g)].map(([name]) => name);
  const alone = inlineCodeOf(text).filter((name) => /^[A-Z]{4,}$/.test(name));
  const set = [...code.matchAll(/(?:^|\s)([A-Z]{4,})=/g)].map(([, name = '']) => name);
  return [...new Set([...withUnderscore, ...alone, ...set])];
}

/** The documents that a document links to. */
function linksOf({ name, text }: Document): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+\.md)/g)].map(([, link = '']) =>
    path.posix.join(path.posix.dirname(name), link),
  );
}

/** What looks like a path in the prose of a text. */
function pathsIn(text: string): string[] {
  return inlineCodeOf(text).filter(looksLikePath);
}

/** The npm scripts that a text names. */
function scriptsIn(text: string): string[] {
  return [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
}

/** Whether a line of `.env.example` sets a variable. */
function isVariable(line = ''): boolean {
  return /^# ?[A-Z][A-Z0-9_]*=/.test(line);
}

/** The variables that `.env.example` explains. */
function explainedVariables(): string[] {
  const text = readFileSync(path.join(ROOT, '.env.example'), 'utf8');
  return [...text.matchAll(/^# ?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
}

test('all documents of the project exist', () => {
  expect(documents.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'AGENTS.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'README.md',
      'SECURITY.md',
      'docs/01_CONTEXT.md',
      'docs/02_AUTHENTICATION.md',
      'docs/03_LOCAL_DEVELOPMENT.md',
      'docs/04_REPLIT_DEPLOYMENT.md',
      'docs/05_CLIENT_SETUP.md',
      'docs/06_LESSONS_LEARNED.md',
      'docs/ARCHITECTURE.md',
    ]),
  );
});

test('every link leads to an existing file and heading, or is an absolute URL', () => {
  expect(documents.flatMap(({ text }) => text.match(/\]\(/g) ?? []).length).toBeGreaterThan(10);
  expect(inDocuments(brokenLinks)).toEqual([]);
});

/** What may name the documents that `--drop-docs` deletes: what deletes them, proves it, or looks first whether they exist. */
const NAMES_WHAT_MAY_GO = new Set(['lab/fork/forks.ts', 'scripts/doctor/walk.ts', 'scripts/init.usage.mjs']);

test('after `npm run init -- --drop-docs`, only the README links to documents that are gone', async () => {
  const { edits } = await planInit(ROOT, {
    name: 'a',
    title: 'A',
    address: undefined,
    keep: [],
    dropDocs: true,
  });
  const gone = [...edits].flatMap(([name, text]) =>
    text === undefined && name.startsWith('docs/') ? [name] : [],
  );
  const stays = files.filter(
    (name) =>
      !edits.has(name) &&
      !name.startsWith('tests/') &&
      !NAMES_WHAT_MAY_GO.has(name) &&
      statSync(path.join(ROOT, name)).isFile(),
  );
  const written = [...edits].flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));

  // A document is named by its file, or by its number alone.
  const ways = gone.flatMap((name) => [path.basename(name), name.slice(0, 'docs/00'.length)]);
  const leading = [
    ...stays.map((name) => [name, readFileSync(path.join(ROOT, name), 'utf8')] as const),
    ...written,
  ]
    .filter(([, text]) => ways.some((way) => text.includes(way)))
    .map(([name]) => name);

  expect(gone).toContain('docs/09_RUNBOOK.md');
  // The README of a fork has the command that deletes them again.
  expect(leading).toEqual(['README.md']);
});

test('every document of the folder is reached from the README, directly or by one more link', async () => {
  const first = linksOf(await readDocument('README.md'));
  const second = documents.filter(({ name }) => first.includes(name)).flatMap(linksOf);

  const docs = documents.map(({ name }) => name).filter((name) => name.startsWith('docs/'));
  expect(docs.filter((name) => ![...first, ...second].includes(name))).toEqual([]);
});

test('every path in backticks is in the repository', () => {
  const missing = inDocuments(({ text }) =>
    pathsIn(text).filter(
      (name) => !hasPath(name) && !OTHER_FILES.has(name) && !name.startsWith('dist/') && !isTakenOut(name),
    ),
  );

  expect(documents.flatMap(({ text }) => pathsIn(text)).length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test('every path under dist/ has a source file', () => {
  const built = documents.flatMap(({ text }) => [...text.matchAll(/\bdist\/([\w/-]+)\.js\b/g)]);

  expect(built.length).toBeGreaterThan(3);
  expect(built.map(([, name = '']) => `${name}.ts`).filter((name) => !files.includes(name))).toEqual([]);
});

test('the layout in the README names existing files', async () => {
  const { text } = await readDocument('README.md');

  const names = (fencesOf(text.slice(text.indexOf('## Layout')))[0]?.code ?? '')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');

  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !existsSync(path.join(ROOT, name)) && !isTakenOut(name))).toEqual([]);
});

test('every npm script that is named is in package.json', () => {
  const manifest = readFileSync(path.join(ROOT, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };

  const missing = inDocuments(({ text }) =>
    scriptsIn(text).filter((name) => !(name in scripts || isScriptOfIsland(name))),
  );

  expect(documents.flatMap(({ text }) => scriptsIn(text)).length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});

describe('variables', () => {
  test('that are named are in .env.example, or belong to another program', () => {
    const known = new Set([...explainedVariables(), ...FOREIGN_VARIABLES, 'YOUR_TOKEN', 'HEAD', 'POST']);

    const unknown = inDocuments((document) => variablesOf(document).filter((name) => !known.has(name)));

    expect(documents.flatMap(variablesOf).length).toBeGreaterThan(20);
    expect(unknown).toEqual([]);
  });

  test('of other programs are still mentioned in a document', () => {
    const named = new Set(documents.flatMap(variablesOf));

    expect([...FOREIGN_VARIABLES].filter((name) => !named.has(name))).toEqual([]);
  });

  test('are explained once: in .env.example, and in at most one row of one table', () => {
    const explained = explainedVariables();
    const rows = documents.flatMap(({ text }) => tableRowsOf(text).map(([first = '']) => first));

    const doubled = explained.filter((name) => rows.filter((first) => first === `\`${name}\``).length > 1);

    expect(explained.length).toBeGreaterThan(15);
    expect(new Set(explained).size).toBe(explained.length);
    expect(doubled).toEqual([]);
  });

  test('have a comment above them in .env.example', () => {
    const lines = readFileSync(path.join(ROOT, '.env.example'), 'utf8').split('\n');

    const groups = lines.filter((line, index) => isVariable(line) && !isVariable(lines[index - 1]));
    const uncommented = groups.filter((line) => !/^# [A-Zdt]/.test(lines[lines.indexOf(line) - 1] ?? ''));

    expect(uncommented).toEqual([]);
  });
});

describe('the size', () => {
  const MOST_LINES = { 'AGENTS.md': 60, 'README.md': 170 };

  test.each(Object.entries(MOST_LINES))('of %s is at most %d lines', async (name, most) => {
    const { text } = await readDocument(name);

    // Comments are for tests, not for readers.
    const shown = text.replaceAll(/^<!--.*-->\n\n/gm, '').trimEnd();
    expect(shown.split('\n').length).toBeLessThanOrEqual(most);
  });
});
