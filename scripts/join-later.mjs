/**
 * What no start needs, and so is left out of the script that starts: it would be read each time, and V8 would have to take over what it has
 * compiled of it. The SDK has a script of its own; the rest is loaded from where npm put it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The name under which the SDK imports zod; its script has it from the one that starts. */
export const ZOD = 'zod/v4';

/**
 * Puts packages of the SDK into their own script, which runs when one of them is used: hundreds of schemas, of which the first message is
 * the first that needs one. What are only words stays.
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
 * The packages of the SDK that a script asks for, and their files.
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
 * Has the SDK's script share zod with the other, where it is the same one: twice, it would take as long again.
 *
 * @type {import('esbuild').Plugin}
 */
export const shareZod = {
  name: 'share-zod',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: new RegExp(`^${ZOD}$`) }, async ({ path: name, resolveDir, kind, pluginData }) => {
      // It is this plugin that asks.
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
 * What a module exports, by name.
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
 * The text of a module whose exports are those of another one, which is loaded when one of them is used.
 *
 * @param {string} load
 * @param {readonly string[]} names
 */
function takenFrom(load, names) {
  return `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exports, name, { enumerable: true, get: () => ${load}[name] });`;
}

/**
 * Whether a value of a package is a text or a number, or some of them: it can be written down.
 *
 * @param {unknown} value
 * @returns {boolean}
 */
const areWords = (value) =>
  ['string', 'number'].includes(typeof value) || (Array.isArray(value) && value.every(areWords));

/**
 * What stands in the place of packages that a start would spend time on for nothing, by their names; it loads the package, at this
 * path, when it is used.
 *
 * @type {Record<string, (file: string) => string>}
 */
const LATER = {
  // The tables of media types, of which Koa's packages bring two: nothing that is served looks one up.
  'mime-types': (file) =>
    ['charset', 'contentType', 'extension', 'lookup']
      .map((name) => `exports.${name} = (text) => require(${file}).${name}(text);`)
      .join('\n'),
  // What starts threads for pino's transports, of which we use none.
  'thread-stream': (file) =>
    `module.exports = function (options) { return new (require(${file}))(options); };`,
  // Warnings of Koa's packages: each looks for the line that asked for them, and V8 counts all the lines of this script for that.
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

/** The tables of media types and of character sets. */
const TABLES = /mime-db.db\.json$|iconv-lite.encodings.tables.[\w-]+\.json$/;

/**
 * Puts that in their places. Tables are copied beside the program: where npm put them is known to the packages that need them, not to the
 * program. zod's messages in all languages but English stay there, as zod is a package of our own.
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
          // It is this plugin that asks.
          if (pluginData === 'found') return undefined;
          const { path: file } = await resolve(asked, { importer, kind, resolveDir, pluginData: 'found' });
          // esbuild takes what ends in .mjs for an ES module.
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
      // esbuild would take a file of that package for an ES module.
      /[\\/]zod[\\/]v4[\\/]/.test(resolveDir) ? { path: asked, namespace: 'locales' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'locales' }, async () => {
      const names = Object.keys(await exportsOf('zod/v4/locales'));
      return { contents: takenFrom("require('zod/v4/locales')", names) };
    });
  },
};
