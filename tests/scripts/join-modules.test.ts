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
import { startServer, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { builtFile, createSandbox, ROOT } from '../support/process.ts';

const BUILT = path.join(ROOT, 'dist/src');

/** A file of the build. */
function read(name: string): string {
  return readFileSync(path.join(BUILT, name), 'utf8');
}

describe('the built server', () => {
  test('is one script that finds Koa, zod and the SDK in itself', () => {
    const outside = [...read('joined.cjs').matchAll(/\b(?:require|joined)\("([^"]+)"\)/g)].map(
      ([, name = '']) => name,
    );

    expect(outside).toContain('node:crypto');
    expect(outside.filter((name) => /^(koa|zod|pino|jose|@modelcontextprotocol\/.*)$/.test(name))).toEqual(
      [],
    );
    // Loaded when they are configured, from where npm put them.
    expect(outside).toEqual(expect.arrayContaining(['pg', '@redis/client']));
  });

  test('is loaded by its entries', () => {
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

  test('has a map by which stack traces lead to the sources', () => {
    const map: unknown = JSON.parse(read('joined.cjs.map'));

    expect(map).toMatchObject({
      sources: expect.arrayContaining(['../../src/mcp/call-tool.ts', '../../src/server/start-server.ts']),
    });
  });

  test('makes the schemas of the SDK when a message needs them, and no start waits for that', async () => {
    const [start, message] = await Promise.all([
      modulesRun(async () => undefined),
      modulesRun(async (url) => {
        const headers = {
          authorization: `Bearer ${TOKEN.ada}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        };
        const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
        await fetch(`${url}/mcp`, { method: 'POST', headers, body });
      }),
    ]);

    expect(start).toContain('src/server/start-server.ts');
    expect(start.filter(isOfSdk)).toEqual([]);
    expect(message.filter(isOfSdk)).not.toEqual([]);
  });
});

test('a module that asks where it is hears what it would by itself', async () => {
  const sandbox = createSandbox();
  try {
    const folder = await sandbox.folder({ 'package.json': '{ "type": "module" }' });
    for (const name of ['src/tools', 'dist/src', 'scripts'])
      mkdirSync(path.join(folder, name), { recursive: true });
    const asking = 'export const where = [import.meta.url, import.meta.dirname, import.meta.filename];';
    writeFileSync(path.join(folder, 'src/tools/where.ts'), asking);
    const telling = "import { where } from './tools/where.ts'; process.stdout.write(JSON.stringify(where));";
    writeFileSync(path.join(folder, 'src/main.ts'), telling);
    for (const name of ['join-modules.mjs', 'load-joined.mjs'])
      cpSync(path.join(ROOT, 'scripts', name), path.join(folder, 'scripts', name));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
    const script = (name: string): string =>
      execFileSync(process.execPath, [path.join(folder, name)], { encoding: 'utf8' });

    script('scripts/join-modules.mjs');
    const where: unknown = JSON.parse(script('dist/src/main.js'));

    const tools = path.join(realpathSync(folder), 'dist/src/tools');
    const file = path.join(tools, 'where.js');
    expect(where).toEqual([pathToFileURL(file).href, tools, file]);
  } finally {
    await sandbox.close();
  }
});

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
    const script = result.find(({ url }) => url.endsWith('/joined.cjs'));
    // esbuild names the function that runs a module by the path of the module.
    return (script?.functions ?? []).flatMap(({ functionName, ranges }) =>
      (ranges[0]?.count ?? 0) > 0 ? [functionName] : [],
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
