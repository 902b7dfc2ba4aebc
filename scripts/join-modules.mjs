/**
 * Joins what a start imports into one script, `dist/src/joined.cjs`, and what answering needs of the SDK into another, and makes the
 * compiled entries load them. Modules are found and read one by one, and V8 can keep what it has compiled of a script, functions
 * too (`load-joined.mjs`; `npm run bench -- --only start`). Where joining fails, the entries stay as tsc wrote them: the same program in
 * many files. `npm run dev` does not use this.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { leaveSdk, loadLater, sdkIn, shareZod, ZOD } from './join-later.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The entry that makes V8 compile what the others run. */
const COMPILE_AHEAD = 'scripts/compile-ahead.ts';

/** The entries that start a server, as far as they exist: forks, and the image, leave some out. */
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
 * The packages that the engine imports, joined with their dependencies. Any other package, a fork's too, stays where npm put it: it may be
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

/** A letter that esbuild does not escape in comments, in tagged templates and in regular expressions. */
const BEYOND_ASCII = /[\u0080-\uffff]/;

/** The folder of the built server. */
const FOLDER = path.join(ROOT, 'dist/src');

/** Joins the modules. Throws when that cannot be done, before it has changed anything. */
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
 * Joins modules into one script, whose value is a function that takes what a CommonJS module is given.
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
    // CommonJS, since V8's code of an ES module itself cannot be kept, only that of the scripts it loads.
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    // Names and lines stay, so that stack traces can be read; with `NODE_OPTIONS=--enable-source-maps` they name the sources.
    minifySyntax: true,
    sourcemap: process.argv.includes('--no-source-maps') ? false : 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
    write: false,
    assetNames: '[name]-[hash]',
    // For packages; a plugin does it for our own modules.
    define: { 'import.meta.url': '$joinedUrl' },
    banner: {
      js: `(function (exports, require, module, __filename) {'use strict';\nconst $later = module.importThat, { ${given} } = module;\n${PLACE_OF}`,
    },
    footer: { js: '})' },
    plugins,
  });
  const later = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind }) => kind === 'dynamic-import');
  // Node 20 prints a warning when a script calls import(). The replacement is as long, so that the source map stays right.
  const ask = (/** @type {string} */ text) =>
    later.reduce((sum, { path: asked }) => sum.replaceAll(`import("${asked}")`, `$later("${asked}")`), text);
  const files = outputFiles.map(async ({ path: file, contents: bytes, text }) => ({
    file,
    contents: file.endsWith('.cjs') ? await plainComments(ask(text)) : bytes,
  }));
  return { inputs: metafile.inputs, files: await Promise.all(files) };
}

/**
 * Replaces the letters beyond ASCII of a script's comments, if its code has none: one such letter makes V8 keep two bytes for each of
 * the script's, in every process. Columns stay where they are, for the source map. A script whose code has some tells the loader so
 * in its last line.
 *
 * @param {string} script
 */
async function plainComments(script) {
  const { transform } = await import('esbuild');
  const { code } = await transform(script, { minifyWhitespace: true, legalComments: 'none' });
  return BEYOND_ASCII.test(code)
    ? `${script}// utf8\n`
    : script.replaceAll(new RegExp(BEYOND_ASCII, 'g'), '?');
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
 * The text that replaces an entry's compiled file: it loads the script.
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
    // A fork's modules may have opened something; the build does not wait for it.
    ...(verb === 'load' ? [] : ['process.exit(0);']),
    '',
  ].join('\n');
}

/**
 * The packages outside the script that an entry imports.
 *
 * @param {string} entry
 * @param {import('esbuild').Metafile['inputs']} inputs
 */
function findOutside(entry, inputs) {
  const atOnce = reach(entry, inputs, ({ kind }) => kind !== 'dynamic-import');
  const later = reach(entry, inputs, () => true).filter((name) => !atOnce.includes(name));
  if (later.length > 0) {
    const words = `${later.join(', ')}: imported by a module that is itself imported later; use import() there`;
    throw new Error(words);
  }
  return atOnce;
}

/**
 * The packages outside the script that an entry reaches through the imports that are followed.
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
 * Leaves packages outside that our own code imports and the engine does not. The loader imports them, since they may be ES modules.
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

/** Code in the script that computes the place of a module in `dist/`, as `import.meta` has it. Our names in it begin with `$`: a module may have any other. */
const PLACE_OF = `function $placeOf(name) {
  const { join, dirname } = require('node:path'), filename = join(__filename, '../..', name);
  return { filename, dirname: dirname(filename), url: require('node:url').pathToFileURL(filename).href };
}
const $joinedUrl = $placeOf('src/joined.cjs').url;`;

/**
 * Gives each of our own modules the place that it has when it is loaded by itself: files that a fork's tool looks for beside itself are
 * not beside the script.
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
        (_all, what) => `$placeOf(${JSON.stringify(name)}).${what}`,
      );
      return contents === text ? undefined : { contents, loader: 'ts' };
    });
  },
};

try {
  await join();
} catch (error) {
  // Reasons are a platform without esbuild's binary, or a fork's module with a top-level await, which a script cannot have.
  process.stderr.write(
    `join-modules: the modules were not joined, so starts take longer: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
