/** What a start imports stands in one script, and what must stay outside is outside. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { testInCi } from '../support/in-ci.ts';
import { startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { builtFile, createSandbox, ROOT } from '../support/process.ts';

const BUILT = path.join(ROOT, 'dist/src');

/** A file of the build. */
function read(name: string): string {
  return readFileSync(path.join(BUILT, name), 'utf8');
}

describe('the built server', () => {
  test('is two scripts that contain Koa, zod and the SDK', () => {
    const both = `${read('joined.cjs')}${read('joined-sdk.cjs')}`;
    const outside = both.matchAll(/(?:\brequire|\$later)\("([^"]+)"\)/g);
    const names = [...outside].map(([, name = '']) => name);

    expect(names).toContain('node:crypto');
    expect(names.filter((name) => /^(koa|zod|pino|jose|@modelcontextprotocol\/.*)$/.test(name))).toEqual([]);
    // Loaded when they are configured, from where npm put them.
    expect(names).toEqual(expect.arrayContaining(['pg', '@redis/client']));
  });

  test('has the SDK in one script, zod in the other, and rarely used tables in neither', () => {
    const [start, sdk] = [modulesIn('joined.cjs'), modulesIn('joined-sdk.cjs')];
    const all = [...start, ...sdk];

    expect([start.filter(isOfSdk), sdk.filter(isOfZod)]).toEqual([[], []]);
    expect(sdk.filter(isOfSdk)).not.toEqual([]);
    expect(all.filter((name) => name.includes('zod/v4/locales/'))).toEqual([
      'node_modules/zod/v4/locales/en.js',
    ]);
    expect(all.filter((name) => name.includes('iconv-lite/encodings/tables/'))).toEqual([]);
    expect(start.filter((name) => name.includes('iconv-lite'))).toEqual([]);
  });

  test('is loaded by the entry files', () => {
    // A fork's tools may need packages besides.
    expect(read('main.js')).toContain('await load("src/main.ts", [');
    expect(read('../lab/fixture/entry.js')).toContain('await load("lab/fixture/entry.ts", []);');
  });

  test('imports nothing itself: Node 20 warns about a script that does', () => {
    expect(read('joined.cjs')).not.toMatch(/\bimport\("(pg|@redis\/client|@photostructure\/sqlite)"\)/);
  });

  test('holds no table of media types, which every start would read', () => {
    expect(read('joined.cjs')).not.toContain('application/vnd.openxmlformats');
  });

  test('has a source map for stack traces', () => {
    const map: unknown = JSON.parse(read('joined.cjs.map'));

    expect(map).toMatchObject({
      sources: expect.arrayContaining(['../../src/mcp/call-tool.ts', '../../src/server/start-server.ts']),
    });
  });

  test('evaluates the SDK at the first message that needs it, not at the start', async () => {
    const message = await modulesRun(async (url) => {
      const headers = {
        authorization: `Bearer ${TOKEN.ada}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      };
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
      await fetch(`${url}/mcp`, { method: 'POST', headers, body });
    });
    // Half a second after a start the SDK runs anyway, and a busy machine may let that pass. What a start needs runs in each.
    let start = await modulesRun(async () => undefined);
    for (let tries = 1; tries < 5 && start.some(isOfSdk); tries += 1)
      start = await modulesRun(async () => undefined);

    expect(start).toContain('src/server/start-server.ts');
    expect(start.filter(isOfSdk)).toEqual([]);
    expect(message.filter(isOfSdk)).not.toEqual([]);
  });
});

test('a joined module has the import.meta.url and file name of its source', async () => {
  const asking = 'export const where = [import.meta.url, import.meta.dirname, import.meta.filename];';
  const telling = "import { where } from './tools/where.ts'; process.stdout.write(JSON.stringify(where));";

  const { folder, printed } = await runJoined({ 'tools/where.ts': asking, 'main.ts': telling });

  const tools = path.join(folder, 'dist/src/tools');
  const file = path.join(tools, 'where.js');
  expect(JSON.parse(printed)).toEqual([pathToFileURL(file).href, tools, file]);
});

test('a joined module may have any names', async () => {
  const speaking = `function placeOf(joined: string): string { return joined; }
async function load(joined: (name: string) => string): Promise<string> {
  const { basename } = await import('node:path');
  return basename(joined(import.meta.dirname));
}
void load(placeOf).then((name) => process.stdout.write(name));`;

  const { printed } = await runJoined({ 'main.ts': "import './speaking.ts';", 'speaking.ts': speaking });

  expect(printed).toBe('src');
});

test('a joined module keeps letters beyond ASCII, also in tagged templates and patterns', async () => {
  const speaking = `const asWritten = ([text]: TemplateStringsArray): string => text ?? '';
process.stdout.write(JSON.stringify([asWritten\`“Zoë” 😀\`, 'Zoë', /^Zoë$/.test(String.fromCodePoint(90, 111, 235))]));`;

  const { printed } = await runJoined({ 'main.ts': speaking });

  expect(JSON.parse(printed)).toEqual(['“Zoë” 😀', 'Zoë', true]);
});

test('a joined module keeps no letters beyond ASCII that are in comments alone', async () => {
  const speaking = `import { readFileSync } from 'node:fs';
import path from 'node:path';
const script = path.join(import.meta.dirname, 'joined.cjs');
const patterns = [
  // Zoë – a comment.
  /Zo\\W+ a comment/g,
];
const found = patterns.map((pattern) => readFileSync(script, 'utf8').match(pattern));
process.stdout.write(JSON.stringify(found.flat()));`;

  const { printed } = await runJoined({ 'main.ts': speaking });

  expect(JSON.parse(printed)).toEqual(['Zo? ? a comment']);
});

testInCi('zod loads locales that are not joined', async () => {
  const speaking = `import { z } from 'zod';
z.config(z.locales.de());
process.stdout.write(z.string().safeParse(1).error.issues[0].message);`;

  const { printed } = await runJoined({ 'main.ts': speaking });

  expect(printed).toContain('Ungültige Eingabe');
});

testInCi(
  'where packages are not all in one folder, the SDK finds those of its own, and their tables',
  async () => {
    const reading = `import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
async function read() {
  const res = Object.assign(new EventEmitter(), { writeHead: () => res, write: () => true, end: () => res });
  const transport = new SSEServerTransport('/messages', res as never);
  transport.onmessage = (message) => process.stdout.write(JSON.stringify(message));
  await transport.start();
  const body = Buffer.from('{"jsonrpc":"2.0","method":"\\x93\\xfa\\x96\\x7b"}', 'latin1');
  const headers = { 'content-type': 'application/json; charset=shift_jis' };
  await transport.handlePostMessage(Object.assign(Readable.from([body]), { headers }) as never, res as never);
}
void read();`;

    const { printed } = await runJoined({ 'main.ts': reading }, [], ['iconv-lite']);

    expect(JSON.parse(printed)).toEqual({ jsonrpc: '2.0', method: '日本' });
  },
);

testInCi('with maps a stack trace names the sources, and without them the script', async () => {
  const failing = 'process.stdout.write(String(new Error("here").stack));';

  const { printed: sources } = await runJoined({ 'main.ts': failing }, ['--enable-source-maps']);
  const { printed: script } = await runJoined({ 'main.ts': failing });

  expect(sources).toMatch(/src[\\/]main\.ts:1:/);
  expect(script).toMatch(/joined\.cjs:\d+:/);
});

/** Joins a program of these files under `src` and runs it: where it was, and what it printed. Packages that are `deep` only others find. */
async function runJoined(
  files: Readonly<Record<string, string>>,
  options: readonly string[] = [],
  deep: readonly string[] = [],
): Promise<{ folder: string; printed: string }> {
  const sandbox = createSandbox();
  try {
    const folder = await sandbox.folder({ 'package.json': '{ "type": "module" }' });
    mkdirSync(path.join(folder, 'dist/src'), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, 'src', name)), { recursive: true });
      writeFileSync(path.join(folder, 'src', name), text);
    }
    mkdirSync(path.join(folder, 'scripts'));
    for (const name of ['join-modules.mjs', 'join-later.mjs', 'load-joined.mjs'])
      cpSync(path.join(ROOT, 'scripts', name), path.join(folder, 'scripts', name));
    mkdirSync(path.join(folder, 'node_modules'));
    for (const name of readdirSync(path.join(ROOT, 'node_modules')).filter((each) => !deep.includes(each)))
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name), 'junction');
    const script = (...args: string[]): string =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });

    script('scripts/join-modules.mjs');
    return { folder: realpathSync(folder), printed: script(...options, 'dist/src/main.js') };
  } finally {
    await sandbox.close();
  }
}

/** The modules of a script, by the map that stands beside it. */
function modulesIn(name: string): string[] {
  const { sources } = JSON.parse(read(`${name}.map`)) as { sources: readonly string[] };
  return sources.map((source) => source.replace(/^(\.\.\/)+/, ''));
}

/** Whether a module is one of zod's. */
const isOfZod = (name: string): boolean => name.startsWith('node_modules/zod/');

/** Whether a module is one of the SDK's own. */
const isOfSdk = (name: string): boolean => name.startsWith('node_modules/@modelcontextprotocol/');

/** The modules of the script that have run when a server has listened, has been asked this and has ended. */
async function modulesRun(ask: (url: string) => Promise<unknown>): Promise<string[]> {
  const sandbox = createSandbox();
  try {
    const folder = await sandbox.folder();
    const env = { ...WITH_TOKENS.env, NODE_V8_COVERAGE: folder };
    const entry = [builtFile('lab/fixture/main.js')];
    const server = await startServer(sandbox, { ...WITH_TOKENS, env, entry });
    await ask(server.url);
    server.child.kill('SIGTERM');
    await server.ended;
    const [name = ''] = readdirSync(folder);
    const { result } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Coverage;
    const scripts = result.filter(({ url }) => /\/joined(-sdk)?\.cjs$/.test(url));
    // esbuild names the function that runs a module by the path of the module.
    return scripts.flatMap(({ functions }) =>
      functions.flatMap(({ functionName, ranges }) => ((ranges[0]?.count ?? 0) > 0 ? [functionName] : [])),
    );
  } finally {
    await sandbox.close();
  }
}

/** What V8 tells of the functions that have run, as far as it is asked for here. */
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly count: number }[];
    }[];
  }[];
}
