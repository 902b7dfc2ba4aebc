/**
 * Joins what a start imports into one script, `dist/src/joined.cjs`, and what it needs of the SDK when it is asked something into another;
 * has the compiled entries load them: modules are found and read one by one, and of a script V8 can keep what it has compiled, functions
 * too (`load-joined.mjs`; `npm run bench -- --only start`). Where it cannot run, the entries stay as tsc wrote them: the same program in
 * many files. `npm run dev` never comes here.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { leaveSdk, loadLater, sdkIn, shareZod, ZOD } from './join-later.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** It has compiled what the others run. */
const COMPILE_AHEAD = 'scripts/compile-ahead.ts';

/** What starts a server, as far as it is there: forks, and the image, leave some of it out. */
const ENTRIES = [
  'src/main.ts',
  'src/stdio.ts',
  'examples/progress/main.ts',
  'lab/conformance/server/server.ts',
  'lab/fixture/main.ts',
  'lab/fixture/with-example.ts',
  'lab/fixture/entry.ts',
  COMPILE_AHEAD,
].filter((entry) => fs.existsSync(path.join(ROOT, entry)));

/**
 * The packages that the engine imports; what they need comes with them. Every other one stays where npm put it, a fork's too: it may be
 * native, or compute the names of what it loads.
 */
const JOINED = [
  '@koa/router',
  '@modelcontextprotocol/sdk',
  '@modelcontextprotocol/server',
  'content-type',
  'dotenv',
  'jose',
  'jsonc-parser',
  'koa',
  'pino',
  'zod',
];

/** The folder of the built server. */
const FOLDER = path.join(ROOT, 'dist/src');

/** Joins them; throws, and has changed nothing, where it cannot be done. */
async function join() {
  const start = await bundle('joined.cjs', {
    contents: [
      ...ENTRIES.map((entry) => `exports[${JSON.stringify(entry)}] = () => import('./${entry}');`),
      `import * as zod from '${ZOD}';`,
      `exports['${ZOD}'] = () => zod;`,
    ],
    given: 'loadSdk',
    plugins: [leaveSdk, leaveOthers, loadLater, keepPlaces],
  });
  const sdk = await bundle('joined-sdk.cjs', {
    contents: [...sdkIn(start.inputs)].map(
      ([name, file]) => `exports['${name}'] = () => require(${JSON.stringify(file)});`,
    ),
    given: 'shared',
    plugins: [shareZod, loadLater],
  });
  const stubs = ENTRIES.map((entry) => ({ entry, text: stubOf(entry, start.inputs) }));
  for (const { file, contents } of [...start.files, ...sdk.files]) fs.writeFileSync(file, contents);
  fs.copyFileSync(path.join(ROOT, 'scripts/load-joined.mjs'), path.join(FOLDER, 'load-joined.mjs'));
  fs.rmSync(path.join(ROOT, 'dist/.compiled'), { recursive: true, force: true });
  for (const { entry, text } of stubs) fs.writeFileSync(builtOf(entry), text);
}

/**
 * Joins modules into one script: a function of what a CommonJS module has.
 *
 * @param {string} name
 * @param {{ contents: readonly string[], given: string, plugins: import('esbuild').Plugin[] }} parts what it exports, what it is given besides, and how imports are treated
 */
async function bundle(name, { contents, given, plugins }) {
  const { build } = await import('esbuild');
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: contents.join('\n'), resolveDir: ROOT },
    outfile: path.join(FOLDER, name),
    bundle: true,
    // Of a module that is an ES module nothing can be kept but what it imports.
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    // Names and lines stay as they are, so that a stack trace can be read; `NODE_OPTIONS=--enable-source-maps` names the sources.
    minifySyntax: true,
    sourcemap: process.argv.includes('--no-source-maps') ? false : 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
    write: false,
    assetNames: '[name]-[hash]',
    // Of a package; our own modules are told by a plugin.
    define: { 'import.meta.url': 'joinedUrl' },
    banner: {
      js: `(function (exports, require, module, __filename) {'use strict';\nconst joined = module.importThat, { ${given} } = module;\n${PLACE_OF}`,
    },
    footer: { js: '})' },
    plugins,
  });
  const later = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind }) => kind === 'dynamic-import');
  // On Node 20 a script that imports is warned about. By a name as long, which leaves the map right.
  const ask = (/** @type {string} */ text) =>
    later.reduce((sum, { path: asked }) => sum.replaceAll(`import("${asked}")`, `joined("${asked}")`), text);
  const files = outputFiles.map(({ path: file, contents: bytes, text }) => ({
    file,
    contents: file.endsWith('.cjs') ? ask(text) : bytes,
  }));
  return { inputs: metafile.inputs, files };
}

/**
 * The compiled file of an entry.
 *
 * @param {string} entry
 */
function builtOf(entry) {
  return path.join(ROOT, 'dist', entry.replace(/\.ts$/, '.js'));
}

/**
 * What stands in the place of an entry: it loads the script.
 *
 * @param {string} entry
 * @param {import('esbuild').Metafile['inputs']} inputs
 */
function stubOf(entry, inputs) {
  const loader = path.posix.relative(path.posix.dirname(entry), 'src/load-joined.mjs');
  const verb = entry === COMPILE_AHEAD ? 'compileAhead' : 'load';
  return [
    `import { ${verb} } from '${loader.startsWith('.') ? loader : `./${loader}`}';`,
    `await ${verb}(${JSON.stringify(entry)}, ${JSON.stringify(findOutside(entry, inputs))});`,
    // What a fork's modules may have opened is nothing to wait for.
    ...(verb === 'load' ? [] : ['process.exit(0);']),
    '',
  ].join('\n');
}

/**
 * The packages outside that an entry imports.
 *
 * @param {string} entry
 * @param {import('esbuild').Metafile['inputs']} inputs
 */
function findOutside(entry, inputs) {
  const atOnce = reach(entry, inputs, ({ kind }) => kind !== 'dynamic-import');
  const later = reach(entry, inputs, () => true).filter((name) => !atOnce.includes(name));
  if (later.length > 0) {
    const words = `${later.join(', ')}: imported by what is itself imported later; use import() there`;
    throw new Error(words);
  }
  return atOnce;
}

/**
 * The packages outside that an entry reaches over some of its imports.
 *
 * @param {string} entry
 * @param {import('esbuild').Metafile['inputs']} inputs
 * @param {(edge: { kind: string }) => boolean} follows
 */
function reach(entry, inputs, follows) {
  const found = new Set([entry]);
  for (const name of found)
    for (const edge of inputs[name]?.imports ?? []) if (follows(edge)) found.add(edge.path);
  return [...found].flatMap((name) =>
    name.startsWith('outside:') && name in inputs ? name.slice('outside:'.length) : [],
  );
}

/**
 * Leaves packages outside that our own code imports and that are not the engine's. The loader imports them, as they may be ES modules.
 *
 * @type {import('esbuild').Plugin}
 */
const leaveOthers = {
  name: 'leave-others',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^.]/ }, ({ path: name, importer, kind, namespace }) => {
      if (namespace === 'outside') return { path: name, external: true };
      const isOurs = !importer.includes(`${path.sep}node_modules${path.sep}`);
      const isPackage = !name.startsWith('node:') && !path.isAbsolute(name);
      const isJoined = JOINED.some((joined) => name === joined || name.startsWith(`${joined}/`));
      if (!isOurs || !isPackage || isJoined) return undefined;
      return kind === 'import-statement'
        ? { path: name, namespace: 'outside' }
        : { path: name, external: true };
    });
    onLoad({ filter: /./, namespace: 'outside' }, ({ path: name }) => {
      const from = JSON.stringify(`outside:${name}`);
      return { contents: `export * from ${from};\nexport default require(${from}).default;` };
    });
  },
};

/** What the script knows of the place of a module in `dist/`, as `import.meta` has it. */
const PLACE_OF = `function placeOf(name) {
  const { join, dirname } = require('node:path'), filename = join(__filename, '../..', name);
  return { filename, dirname: dirname(filename), url: require('node:url').pathToFileURL(filename).href };
}
const joinedUrl = placeOf('src/joined.cjs').url;`;

/**
 * Tells each of our own modules the place that it has when it is loaded by itself: what a fork's tool looks for beside itself is not
 * beside the script.
 *
 * @type {import('esbuild').Plugin}
 */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const name = path.relative(ROOT, file).replaceAll(path.sep, '/').replace(/\.ts$/, '.js');
      if (name.startsWith('..') || name.includes('node_modules/')) return undefined;
      const text = fs.readFileSync(file, 'utf8');
      const contents = text.replaceAll(
        /\bimport\.meta\.(url|dirname|filename)\b/g,
        (_all, what) => `placeOf(${JSON.stringify(name)}).${what}`,
      );
      return contents === text ? undefined : { contents, loader: 'ts' };
    });
  },
};

try {
  await join();
} catch (error) {
  // A platform without the bundler's program, say; or a module of a fork's that waits at its top level, which no script can.
  process.stderr.write(
    `join-modules: not joined, starts take longer: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
