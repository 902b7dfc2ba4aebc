/**
 * Joins what a start imports into a few files, which replace the compiled entries: of a start's time, half is spent on finding and
 * reading four hundred modules, one by one (`npm run bench -- --only start`). Without it, or where it cannot run, the entries are
 * as tsc wrote them: the same program in many files. `npm run dev` never comes here.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What starts a server, as far as it is there: forks, and the image, leave some of it out. */
const ENTRIES = [
  'src/main.ts',
  'src/stdio.ts',
  'examples/progress/main.ts',
  'lab/conformance/server/server.ts',
  'lab/fixture/main.ts',
  'lab/fixture/with-example.ts',
  'lab/fixture/entry.ts',
  // It has compiled what the others import.
  'scripts/compile-ahead.ts',
];

/**
 * The packages that every server loads, at its start or soon after; what they need comes with them. Every other one stays where npm put
 * it, a fork's too: it may be native, or compute the names of what it loads.
 */
const JOINED = [
  '@koa/router',
  '@modelcontextprotocol/sdk',
  '@modelcontextprotocol/server',
  'content-type',
  'dotenv',
  'jsonc-parser',
  'koa',
  'pino',
  'zod',
];

/** Joins them; says why not, and leaves everything as it is, where the bundler cannot run. */
async function join() {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES.filter((entry) => fs.existsSync(path.join(ROOT, entry))),
    outbase: '.',
    outdir: 'dist',
    // Beside the entries: a module that asks where it is finds the same folder.
    chunkNames: 'src/joined-[hash]',
    bundle: true,
    // What is imported when it is needed stays a file of its own.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    // Names and lines stay as they are, so that a stack trace can be read; `NODE_OPTIONS=--enable-source-maps` names the sources.
    minifySyntax: true,
    sourcemap: process.argv.includes('--no-source-maps') ? false : 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
    },
    plugins: [leaveOthers, askForHttp, readTypesLater],
  });
}

/**
 * Leaves packages outside that our own code imports and that no start needs.
 *
 * @type {import('esbuild').Plugin}
 */
const leaveOthers = {
  name: 'leave-others',
  setup({ onResolve }) {
    onResolve({ filter: /^[^.]/ }, ({ path: name, importer, kind }) => {
      const isOurs = !importer.includes(`${path.sep}node_modules${path.sep}`);
      const isPackage = kind !== 'entry-point' && !name.startsWith('node:') && !path.isAbsolute(name);
      const isJoined = JOINED.some((joined) => name === joined || name.startsWith(`${joined}/`));
      return isOurs && isPackage && !isJoined ? { path: name, external: true } : undefined;
    });
  },
};

/**
 * Asks Node for `node:http` instead of importing it. An import reads all that the module exports, and among that Node 24 has a
 * whole HTTP client that it makes when it is looked at: 40 ms of a start and 13 MiB.
 *
 * @type {import('esbuild').Plugin}
 */
const askForHttp = {
  name: 'ask-for-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'http', namespace: 'node' }));
    onLoad({ filter: /^http$/, namespace: 'node' }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
    }));
  },
};

/**
 * Has the tables of media types, of which Koa's packages bring two, read when the first type is looked up: 25 ms of a start. Nothing
 * that is served looks one up.
 *
 * @type {import('esbuild').Plugin}
 */
const readTypesLater = {
  name: 'read-types-later',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^mime-types$/ }, async ({ path: name, importer, kind, resolveDir, pluginData }) => {
      // It is this plugin that asks.
      if (pluginData === 'found') return undefined;
      const { path: file } = await resolve(name, { importer, kind, resolveDir, pluginData: 'found' });
      return { path: file, namespace: 'later' };
    });
    onLoad({ filter: /./, namespace: 'later' }, ({ path: file }) => ({
      contents: ['charset', 'contentType', 'extension', 'lookup']
        .map((name) => `exports.${name} = (text) => require(${JSON.stringify(file)}).${name}(text);`)
        .join('\n'),
      resolveDir: ROOT,
    }));
  },
};

try {
  await join();
} catch (error) {
  // A platform without the bundler's program, say.
  process.stderr.write(
    `join-modules: not joined, starts take longer: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
