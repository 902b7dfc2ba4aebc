/**
 * Keeps what no start needs out of the script that starts: that script is read at each start, with what V8 has compiled of it. The SDK
 * gets a script of its own; other packages are loaded from where npm put them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The name by which the SDK imports zod; the SDK's script takes zod from the script that starts. */
export const ZOD = 'zod/v4';

/**
 * Puts packages of the SDK into their own script, which runs when one of them is first used: they hold hundreds of schemas, and none is
 * needed before the first message. Exports that are only strings or numbers stay.
 *
 * @type {import('esbuild').Plugin}
 */
export const leaveSdk = {
  name: 'leave-sdk',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@modelcontextprotocol\/(server|sdk)(\/|$)/ }, ({ path: name }) => ({
      path: name,
      namespace: 'sdk',
    }));
    onLoad({ filter: /./, namespace: 'sdk' }, async ({ path: name }) => {
      const found = await exportsOf(name);
      const words = Object.fromEntries(Object.entries(found).filter(([, value]) => areWords(value)));
      const others = Object.keys(found).filter((exported) => !(exported in words));
      return {
        contents: `Object.assign(exports, ${JSON.stringify(words)});\n${takenFrom(`loadSdk("${name}")`, others)}`,
      };
    });
  },
};

/**
 * The SDK packages that a script imports, with their files.
 *
 * @param {import('esbuild').Metafile['inputs']} inputs
 */
export function sdkIn(inputs) {
  const names = Object.keys(inputs).flatMap((input) =>
    input.startsWith('sdk:') ? input.slice('sdk:'.length) : [],
  );
  return new Map(names.map((name) => [name, fileURLToPath(import.meta.resolve(name))]));
}

/**
 * Lets the SDK's script share zod with the other script, where both would load the same: loading it twice would take twice the time.
 *
 * @type {import('esbuild').Plugin}
 */
export const shareZod = {
  name: 'share-zod',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: new RegExp(`^${ZOD}$`) }, async ({ path: name, resolveDir, kind, pluginData }) => {
      // This plugin's own query.
      if (pluginData === 'found') return undefined;
      const find = (/** @type {string} */ from) =>
        resolve(name, { resolveDir: from, kind, pluginData: 'found' });
      const [asked, shared] = [await find(resolveDir), await find(ROOT)];
      return asked.path === shared.path ? { path: name, namespace: 'shared' } : asked;
    });
    onLoad({ filter: /./, namespace: 'shared' }, ({ path: name }) => ({
      contents: `module.exports = shared["${name}"]();`,
    }));
  },
};

/**
 * The exports of a module, by name.
 *
 * @param {string} specifier
 */
async function exportsOf(specifier) {
  /** @type {unknown} */
  const found = await import(specifier);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what every import resolves to
  return /** @type {Record<string, unknown>} */ (found);
}

/**
 * The source text of a module that re-exports another one, which is loaded when an export is first used.
 *
 * @param {string} load
 * @param {readonly string[]} names
 */
function takenFrom(load, names) {
  return `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exports, name, { enumerable: true, get: () => ${load}[name] });`;
}

/**
 * Whether a value is a string, a number, or a list of them, and so can be written into a source text.
 *
 * @param {unknown} value
 * @returns {boolean}
 */
const areWords = (value) =>
  ['string', 'number'].includes(typeof value) || (Array.isArray(value) && value.every(areWords));

/**
 * Replacements for packages that a start need not load, by package name. Each loads the package, at the given path, when it is
 * first used.
 *
 * @type {Record<string, (file: string) => string>}
 */
const LATER = {
  // The tables of media types, of which Koa's packages bring two. Nothing that the server does looks one up.
  'mime-types': (file) =>
    ['charset', 'contentType', 'extension', 'lookup']
      .map((name) => `exports.${name} = (text) => require(${file}).${name}(text);`)
      .join('\n'),
  // Starts threads for pino's transports, which this server does not use.
  'thread-stream': (file) =>
    `module.exports = function (options) { return new (require(${file}))(options); };`,
  // Deprecation warnings of Koa's packages: each determines its call site, for which V8 counts all the lines of this script.
  depd: (file) => `module.exports = function (name) {
  let real;
  const find = () => (real ??= require(${file})(name));
  const warn = (message) => find()(message);
  warn.function = (wrapped, message) => {
    let warning;
    return function () { return (warning ??= find().function(wrapped, message)).apply(this, arguments); };
  };
  warn.property = (owner, property, message) => find().property(owner, property, message);
  return warn;
};`,
};

/** Matches the tables of media types and of character sets. */
const TABLES = /mime-db.db\.json$|iconv-lite.encodings.tables.[\w-]+\.json$/;

/**
 * Applies the replacements. Tables are copied beside the program, since only the packages that need them can find where npm put them.
 * zod's messages in other languages than English stay in its package, which the program can find: it depends on zod itself.
 *
 * @type {import('esbuild').Plugin}
 */
export const loadLater = {
  name: 'load-later',
  setup({ onResolve, onLoad, resolve }) {
    for (const [name, spell] of Object.entries(LATER)) {
      const namespace = `later-${name}`;
      onResolve(
        { filter: new RegExp(`^${name}$`) },
        async ({ path: asked, importer, kind, resolveDir, pluginData }) => {
          // This plugin's own query.
          if (pluginData === 'found') return undefined;
          const { path: file } = await resolve(asked, { importer, kind, resolveDir, pluginData: 'found' });
          // Not the path alone: esbuild would take a name that ends in .mjs for an ES module.
          return { path: `${file}, later`, namespace, pluginData: file };
        },
      );
      onLoad({ filter: /./, namespace }, ({ pluginData: file }) => ({
        contents: spell(JSON.stringify(file)),
        resolveDir: ROOT,
      }));
    }
    onLoad({ filter: TABLES }, ({ path: file }) => ({
      contents: fs.readFileSync(file),
      loader: 'copy',
    }));
    onResolve({ filter: /^zod\/v4\/locales$/ }, ({ path: name }) => ({
      path: name,
      external: true,
    }));
    onResolve({ filter: /locales\/index\.js$/ }, ({ path: asked, resolveDir }) =>
      // Not the path of the file: esbuild would take it for an ES module.
      /[\\/]zod[\\/]v4[\\/]/.test(resolveDir) ? { path: asked, namespace: 'locales' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'locales' }, async () => {
      const names = Object.keys(await exportsOf('zod/v4/locales'));
      return { contents: takenFrom("require('zod/v4/locales')", names) };
    });
  },
};
