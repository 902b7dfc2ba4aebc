/** The house as docs draw it: which part may import which, what only one place may do, and how large a file may be. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ISLANDS } from '../scripts/fork/islands.mjs';
import { importsIn, planEdits } from '../scripts/fork/plan-drop.ts';
import { compileSources, listSources } from './support/compiled-source.ts';
import { testInCi } from './support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from './support/process.ts';
import { parseSource, readSources, type SourceFile } from './support/source-files.ts';

/**
 * The import table. A part is a folder of `src` or a single file; it may import the parts on its right, and with `type` only
 * their types. An arrow is changed here, in the commit that changes it in the code and says why.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  main: ['definition', 'server'],
  stdio: ['definition', 'server'],
  definition: ['features', 'services', 'tools', 'type server'],
  server: [
    'auth',
    'auth/provider',
    'auth/sign-in',
    'auth/table',
    'auth/tokens',
    'config',
    'http',
    'http/admin',
    'http/admin/kept',
    'http/app',
    'http/gate',
    'http/provider',
    'http/metrics',
    'http/sign-in',
    'http/site',
    'http/transports',
    'log',
    'mcp',
    'package',
    'sealed',
    'sessions',
    'sessions/redis',
    'connect',
    'type mcp/service',
    'type mcp/tool',
  ],
  'http/app': ['http', 'http/gate', 'type auth', 'type config'],
  'http/gate': ['auth', 'http', 'log', 'type config'],
  'http/transports': ['auth', 'http', 'mcp', 'sessions'],
  'http/provider': ['http', 'http/site', 'type auth', 'type http/gate'],
  'http/admin': [
    'auth',
    'auth/tokens',
    'connect',
    'http',
    'http/gate',
    'http/site',
    'http/transports',
    'in-slices',
    'mcp',
    'package',
    'type sessions',
  ],
  'http/admin/kept': ['http/admin', 'storage', 'type config'],
  'http/sign-in': ['auth', 'auth/sign-in', 'http', 'http/gate', 'http/site'],
  'http/site': ['auth', 'connect', 'connect/bundle', 'http', 'http/gate', 'package'],
  'http/metrics': ['auth', 'http', 'http/gate', 'in-slices', 'mcp', 'type sessions'],
  http: ['log', 'type auth', 'type mcp'],
  mcp: ['auth', 'log', 'once', 'mcp/tool', 'type mcp/content', 'type mcp/service'],
  'mcp/tool': ['type auth', 'type mcp/content', 'type mcp/service'],
  'mcp/content': [],
  'mcp/service': ['type config'],
  storage: ['mcp/service', 'mcp/tool', 'config'],
  'auth/provider': ['auth', 'bounded-map'],
  'auth/sign-in': ['auth', 'bounded-map', 'sealed'],
  'auth/table': ['auth', 'auth/tokens', 'in-slices', 'storage', 'type config'],
  'auth/tokens': ['auth', 'bounded-map', 'in-slices'],
  auth: ['deep-freeze'],
  connect: ['connect/bundle'],
  'connect/bundle': ['package'],
  sessions: ['bounded-map', 'type sealed'],
  'sessions/redis': ['sessions', 'type sealed'],
  config: ['deep-freeze', 'log'],
  log: ['log-destination', 'printable'],
  'log-destination': [],
  once: [],
  printable: [],
  package: [],
  'bounded-map': [],
  'deep-freeze': [],
  'in-slices': [],
  sealed: [],
};

/** What is a fork's own: it may import what it likes, and the table says nothing of it. */
const FORKS_OWN = new Set(['tools', 'features', 'services']);

/** The part that a file belongs to. */
function partOf(name: string): string {
  const own = name.replace(/\.ts$/, '');
  const [first = ''] = name.split('/');
  if (FORKS_OWN.has(first)) return first;
  return own in MAY_IMPORT || !name.includes('/') ? own : name.slice(0, name.lastIndexOf('/'));
}

/** What starts something when it is imported; nothing else does. */
const ENTRIES = ['main.ts', 'stdio.ts'];

/** Packages that belong to a few parts or files only. */
const PACKAGES: readonly { readonly name: RegExp; readonly places: readonly string[] }[] = [
  // v1 of the SDK is there for one transport, whose file can be deleted with it.
  { name: /^@modelcontextprotocol\/sdk(\/|$)/, places: ['http/transports/sse-endpoint.ts'] },
  {
    name: /^@modelcontextprotocol\/server(\/|$)/,
    places: ['mcp', 'mcp/service.ts', 'http/transports', 'http/site', 'server'],
  },
  { name: /^(koa|@koa\/router)$/, places: ['http', 'http/app'] },
  { name: /^dotenv$/, places: ['config'] },
  { name: /^jose$/, places: ['auth/provider'] },
  { name: /^@redis\/client$/, places: ['sessions/redis'] },
  { name: /^(pg|@photostructure\/sqlite)$/, places: ['storage'] },
];

/** What of the engine a fork's own may import. */
const FOR_FORKS = [
  /^mcp\/(tool|prompt|resource|feature|service|content)\.ts$/,
  /^config\/value-types\.ts$/,
  /^storage\/(service|statement|database|errors)\.ts$/,
  /^server\/(run-server|run-stdio|server-definition)\.ts$/,
];

/** Longer files are two files. */
const MAX_LINES = 250;

/** Those that are longer all the same, with the reason and what they may grow to. */
const LONGER: Readonly<Record<string, number>> = {};

let sources: readonly SourceFile[];
beforeAll(async () => {
  sources = (await readSources()).filter(({ name }) => !FORKS_OWN.has(name.split('/')[0] ?? ''));
});

/** The arrows between parts that the sources have, as `from → to`, with the table's words for the right side. */
function arrowsOf(
  files: readonly SourceFile[],
): { from: string; to: string; file: string; allowed: boolean }[] {
  return files.flatMap(({ name, imports }) => {
    const part = partOf(name);
    return imports
      .filter(({ isOurs }) => isOurs)
      .map(({ target, isType }) => ({ target, isType, to: partOf(target) }))
      .filter(({ to }) => to !== part)
      .map(({ target, isType, to }) => ({
        from: part,
        to,
        file: `${name} → ${isType ? 'type ' : ''}${target}`,
        allowed: (MAY_IMPORT[part] ?? []).some(
          (right) => right === to || (isType && (right === `type ${to}` || right === `type ${target}`)),
        ),
      }));
  });
}

/** The islands that have not been taken out of this house. */
const present = ISLANDS.filter(({ files }) => files.every((name) => existsSync(path.join(ROOT, name))));

describe('imports', () => {
  test('have a row in the table for every part, and no row is for a part that is not there', () => {
    const parts = new Set(sources.map(({ name }) => partOf(name)));
    // A fork that takes an island out leaves its row: it says nothing of what is not there.
    // Of an island that lends files to another one that has gone, the rest is still there.
    const takenOut = new Set(
      ISLANDS.flatMap(({ files }) => files).filter((name) => !existsSync(path.join(ROOT, name))),
    );
    const rows = Object.keys(MAY_IMPORT).filter((part) => !takenOut.has(`src/${part}`));

    expect(rows.toSorted()).toEqual([...parts].toSorted());
  });

  test('between parts go along the arrows of the table', () => {
    const forbidden = arrowsOf(sources).filter(({ allowed }) => !allowed);

    expect(forbidden.map(({ file }) => file)).toEqual([]);
  });

  test('use every arrow of the table, so that it shows what is there', () => {
    const used = new Set(arrowsOf(sources).map(({ from, to }) => `${from} → ${to}`));

    const unused = Object.entries(MAY_IMPORT)
      .flatMap(([from, rights]) => rights.map((right) => `${from} → ${right.replace(/^type /, '')}`))
      .filter((arrow) => !used.has(arrow));

    // An arrow that only an island has used is not worth an edit of the table when that is taken out.
    expect(present.length < ISLANDS.length ? [] : unused).toEqual([]);
  });

  test('never lead back to where they started', () => {
    const reached = (part: string, way: readonly string[]): string[] =>
      way.includes(part)
        ? [[...way, part].join(' → ')]
        : (MAY_IMPORT[part] ?? [])
            .filter((right) => !right.startsWith('type '))
            .flatMap((right) => reached(right, [...way, part]));

    expect(Object.keys(MAY_IMPORT).flatMap((part) => reached(part, []))).toEqual([]);
  });

  test('by config of the log are its list of levels and nothing that logs', () => {
    const fromLog = sources
      .filter(({ name }) => name.startsWith('config/'))
      .flatMap(({ text }) => text.match(/^import .* from '\.\.\/log\.ts';$/gm) ?? []);

    expect(new Set(fromLog)).toEqual(
      new Set(["import type { LogLevel } from '../log.ts';", "import { LOG_LEVELS } from '../log.ts';"]),
    );
  });

  test('of a package that belongs somewhere come from there only', () => {
    const astray = sources.flatMap(({ name, imports }) =>
      imports
        .filter(({ target, isOurs }) =>
          PACKAGES.some(
            (rule) =>
              !isOurs &&
              rule.name.test(target) &&
              !rule.places.includes(partOf(name)) &&
              !rule.places.includes(name),
          ),
        )
        .map(({ target }) => `${name} → ${target}`),
    );

    expect(astray).toEqual([]);
  });
});

describe('an island', () => {
  // In one test: of a fork that has taken all of them out, there is none.
  test('is its files and the lines that wire it in server/, or in the table of clients: nothing else names it once both are away', async () => {
    const faults = await Promise.all(
      present.map(async (island) => {
        const { edits } = await planEdits(ROOT, island);
        const wired = [...edits].flatMap(([name, text]) =>
          text !== undefined && name.startsWith('src/') ? [parseSource(name.slice('src/'.length), text)] : [],
        );
        const left = sources.filter(({ name }) => !edits.has(`src/${name}`)).concat(wired);
        const naming = left.flatMap(({ name, imports }) =>
          imports
            .filter(({ target, isOurs }) => isOurs && island.files.includes(`src/${target}`))
            .map(({ target }) => `${name} → ${target}`),
        );
        const elsewhere = wired
          .map(({ name }) => name)
          .filter((name) => !/^server\/|^connect\/claude\.ts$/.test(name));
        return { island: island.name, naming, elsewhere };
      }),
    );

    expect(faults).toEqual(present.map(({ name }) => ({ island: name, naming: [], elsewhere: [] })));
  });

  test('takes along every test, and every program of a maintainer, that imports one of its files', async () => {
    const imports = await importsOutsideOfTheServer();
    const faults = await Promise.all(
      present.map(async (island) => {
        const { edits } = await planEdits(ROOT, island, ISLANDS);
        const edited = [...edits].map(([name, text = '']) => [name, importsIn(name, text)] as const);
        return [...new Map([...imports, ...edited])].flatMap(([name, targets]) =>
          targets
            .filter((target) => edits.has(target) && edits.get(target) === undefined)
            .map((target) => `without ${island.name}: ${name} → ${target}`),
        );
      }),
    );

    expect(faults.flat()).toEqual([]);
  });
});

/** What every test, script, program of a maintainer and example imports of ours, by its path in the repository. */
async function importsOutsideOfTheServer(): Promise<ReadonlyMap<string, readonly string[]>> {
  const folders = ['tests', 'scripts', 'lab', 'examples'];
  const lists = await Promise.all(
    folders.map(async (folder) => (await listSources(folder)).map((name) => `${folder}/${name}`)),
  );
  return new Map(
    await Promise.all(
      lists
        .flat()
        .map(async (name) => [name, importsIn(name, await readFile(path.join(ROOT, name), 'utf8'))] as const),
    ),
  );
}

describe('the examples', () => {
  let examples: readonly SourceFile[];
  beforeAll(async () => {
    examples = (await readSources('examples')).filter(({ name }) => !name.includes('/tests/'));
  });

  test('need of the engine what declares things, the database and the life of a server, as a fork does', () => {
    const others = examples.flatMap(({ name, imports }) =>
      imports
        .filter(({ target, isOurs }) => isOurs && target.startsWith('../src/'))
        .map(({ target }) => target.slice('../src/'.length))
        .filter((target) => !FOR_FORKS.some((pattern) => pattern.test(target)))
        .map((target) => `${name} → ${target}`),
    );

    expect(others).toEqual([]);
  });

  test('say what each file is for, and are short', () => {
    const faulty = examples.filter(
      ({ text }) => !/^\/\*\*[\s*]+\S/.test(text) || text.trimEnd().split('\n').length > MAX_LINES,
    );

    expect(faulty.map(({ name }) => name)).toEqual([]);
  });
});

describe('the environment', () => {
  test('of the process is touched by the entries only, which pass it on', () => {
    const touching = sources.filter(({ touchesEnvironment }) => touchesEnvironment).map(({ name }) => name);

    expect(touching).toEqual(ENTRIES);
  });
});

describe('an import', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  test('does nothing, as the text shows: every file but the entries only declares', () => {
    const doing = sources
      .filter(({ name }) => !ENTRIES.includes(name))
      .flatMap(({ name, effects }) => effects.map((effect) => `${name}: ${effect}`));

    expect(doing).toEqual([]);
  });

  testInCi(
    'of every file but the entries prints nothing, listens to nothing, and leaves nothing running',
    async () => {
      const folder = await compileSources(sandbox);
      const names = sources.map(({ name }) => name).filter((name) => !ENTRIES.includes(name));
      const program = `
      const facts = () => ({
        // The standard streams appear as soon as a package looks at them.
        resources: process.getActiveResourcesInfo().filter((kind) => !/^(PipeWrap|TTYWrap|CloseReq)$/.test(kind)),
        listeners: process.eventNames().filter((name) => /^SIG|^uncaught|^unhandled|exit/i.test(String(name))),
        directory: process.cwd(),
      });
      const before = facts();
      for (const name of ${JSON.stringify(names)}) await import('./' + name.replace(/ts$/, 'js'));
      const after = facts();
      process.stdout.write(JSON.stringify({ before, after }));`;

      const child = sandbox.spawn({ args: ['--input-type=module', '--eval', program], cwd: folder });
      const { code } = await waitForEnd(child, { timeoutMs: 40_000 });

      expect({ code, stderr: child.stderr() }).toEqual({ code: 0, stderr: '' });
      const { before, after } = JSON.parse(child.stdout()) as Record<'before' | 'after', unknown>;
      expect(after).toEqual(before);
      // Everything is compiled and loaded first.
    },
    60_000,
  );
});

describe('a file', () => {
  test(`has at most ${MAX_LINES} lines`, () => {
    const tooLong = sources
      .map(({ name, text }) => ({ name, lines: text.trimEnd().split('\n').length }))
      .filter(({ name, lines }) => lines > (LONGER[name] ?? MAX_LINES));

    expect(tooLong).toEqual([]);
  });

  test('begins with what it is for', () => {
    const silent = sources.filter(({ text }) => !/^\/\*\*[\s*]+\S/.test(text)).map(({ name }) => name);

    expect(silent).toEqual([]);
  });

  test('has a name that says what it holds', () => {
    const vague = sources
      .map(({ name }) => name)
      .filter((name) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(name));
    const drawers = sources
      .map(({ name }) => name)
      .filter((name) => /(^|[/-])(utils?|helpers?|common|misc|shared)([/.-])/.test(name));

    expect([...vague, ...drawers]).toEqual([]);
  });
});

describe('the reading of the sources', () => {
  test('sees imports of every kind', () => {
    const { imports } = parseSource(
      'http/x.ts',
      `import a from 'koa'; import type { B } from '../auth/user.ts'; export { c } from './c.ts'; import '../log.ts';
       const d = async () => import('../tools/index.ts'); type E = import('../config.ts').Config; import { type F } from './f.ts';`,
    );

    expect(imports).toEqual([
      { target: 'koa', isOurs: false, isType: false },
      { target: 'auth/user.ts', isOurs: true, isType: true },
      { target: 'http/c.ts', isOurs: true, isType: false },
      { target: 'log.ts', isOurs: true, isType: false },
      { target: 'tools/index.ts', isOurs: true, isType: false },
      { target: 'config.ts', isOurs: true, isType: true },
      { target: 'http/f.ts', isOurs: true, isType: false },
    ]);
  });

  test.each([
    'process.env.PORT',
    "process['env']",
    'const { env } = process',
    "import { env } from 'node:process'",
    'globalThis.process.env',
  ])('sees the environment in %s', (text) => {
    expect(parseSource('x.ts', text).touchesEnvironment).toBe(true);
  });

  test('does not see it in other uses of the process, nor in comments', () => {
    expect(parseSource('x.ts', 'process.exit(1); // process.env').touchesEnvironment).toBe(false);
  });

  test.each([
    'start();',
    'await start();',
    'if (x) start();',
    'for (;;) start();',
    "import { readFileSync } from 'node:fs'; const a = readFileSync('x');",
    "import fs from 'node:fs'; export const b = { c: [fs.existsSync('x')] };",
    'const d = process.argv;',
    'const e = await load();',
  ])('sees what happens at import in %s', (text) => {
    expect(parseSource('x.ts', text).effects).toHaveLength(1);
  });

  test.each([
    "import { readFileSync } from 'node:fs'; const read = () => readFileSync('x');",
    "import { readFileSync } from 'node:fs'; function read() { return readFileSync('x'); }",
    'const a = new Set([1]); export const b = make({ run() { return process.pid; } });',
    'export interface A { b: string } export type C = A; export class D { e = 1 }',
  ])('sees that nothing happens at import in %s', (text) => {
    expect(parseSource('x.ts', text).effects).toEqual([]);
  });
});
