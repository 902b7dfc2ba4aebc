/**
 * Loads the scripts that `join-modules.mjs` has made, with the code that V8 has compiled of them; the build puts this file beside them.
 * Without that code, or when another Node has made it, V8 compiles again, and a start takes longer.
 */
import fs from 'node:fs';
import nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

/** @typedef {Record<string, () => unknown>} Exports The exports of a script, by name. */
/** @typedef {(name: string) => unknown} Require */
/** @typedef {{ exports: Exports } & Record<string, unknown>} Module */
/** @typedef {{ exports: unknown, _compile(text: string, file: string): void }} Running */
/** @typedef {(exports: Exports, require: Require, module: Module, file: string) => void} Script */

const START = 'joined.cjs';
const SDK = 'joined-sdk.cjs';

/** The folder of the compiled code, one for each version of Node and each platform. */
const COMPILED = fileURLToPath(
  new URL(`../.compiled/${process.version}-${process.platform}-${process.arch}/`, import.meta.url),
);

/** Packages that stay outside the script, already imported, by the names that the script uses. */
const outside = /** @type {Map<string, unknown>} */ (new Map());

/** The scripts that have run, by name, and the exports of each. */
const compiled = /** @type {Map<string, vm.Script>} */ (new Map());
const offers = /** @type {Map<string, Exports>} */ (new Map());

/**
 * Runs an entry, and resolves to what it exports.
 *
 * @param {string} entry
 * @param {readonly string[]} [needed] the packages outside that it imports
 */
export async function load(entry, needed = []) {
  // The script cannot await an import, so these are imported first.
  for (const from of needed) outside.set(`outside:${from}`, await import(from));
  return takeFrom(START, entry, { loadSdk });
}

/**
 * Runs the rehearsal that an entry exports, and keeps what V8 has compiled by then.
 *
 * @param {string} entry
 * @param {readonly string[]} [needed]
 */
export async function compileAhead(entry, needed) {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compile-ahead.ts exports it
    const { rehearse } = /** @type {{ rehearse: () => Promise<void> }} */ (await load(entry, needed));
    await rehearse();
  } catch (error) {
    // A server would report the same error at its start; the build does not fail because of it.
    console.error('compile-ahead:', error);
  }
  fs.mkdirSync(COMPILED, { recursive: true });
  for (const [name, script] of compiled) {
    const file = path.join(COMPILED, name);
    // Written and renamed, so that a server that starts meanwhile reads the whole file or none.
    fs.writeFileSync(`${file}.tmp`, script.createCachedData());
    fs.renameSync(`${file}.tmp`, file);
  }
}

/**
 * A package of the SDK. The SDK's script runs when the first one is asked for, and takes shared modules from the other script.
 *
 * @param {string} name
 */
function loadSdk(name) {
  return takeFrom(SDK, name, { shared: offers.get(START) });
}

/**
 * Calls an export of a script, which runs first if it has not.
 *
 * @param {string} script
 * @param {string} name
 * @param {Record<string, unknown>} given what it finds in its module when it runs
 */
function takeFrom(script, name, given) {
  const offer = offers.get(script) ?? run(script, given);
  offers.set(script, offer);
  const take = offer[name];
  if (take === undefined) throw new Error(`${name} has not been joined; build again.`);
  return take();
}

/**
 * Runs a script, and returns its exports.
 *
 * @param {string} name
 * @param {Record<string, unknown>} given
 */
function run(name, given) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  // The file is a function already: if it were wrapped in one here, V8 would copy it. esbuild escapes letters beyond ASCII in strings, but
  // leaves them in tagged templates and regular expressions, of which the last line tells. Without any, latin1 takes the least time and memory.
  const plain = fs.readFileSync(file, 'latin1');
  const text = plain.endsWith('// utf8\n') ? fs.readFileSync(file, 'utf8') : plain;
  const inside = /** @type {Require} */ (nodeModule.createRequire(file));
  /** @type {Require} */
  const requireThat = (asked) => outside.get(asked) ?? inside(asked);
  /** @type {Module} */
  const module = { exports: {}, importThat, ...given };
  const script = process.sourceMapsEnabled ? runWithMap(text, file) : runCompiled(text, file);
  script(module.exports, requireThat, module, file);
  return module.exports;
}

/**
 * Imports a module for the script, which calls this instead of import().
 *
 * @param {string} name
 * @returns {Promise<unknown>}
 */
async function importThat(name) {
  return import(name);
}

/**
 * Compiles a script from its text, with V8's kept code, and returns its function. V8 itself rejects code of another script or version.
 *
 * @param {string} text
 * @param {string} file
 */
function runCompiled(text, file) {
  const name = path.basename(file);
  const script = new vm.Script(text, { filename: file, cachedData: readCompiled(name) });
  compiled.set(name, script);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `join-modules.mjs` has written
  return /** @type {Script} */ (script.runInThisContext());
}

/**
 * Returns the same function from a CommonJS module: Node reads source maps of modules, not of scripts.
 *
 * @param {string} text
 * @param {string} file
 */
function runWithMap(text, file) {
  /** @type {unknown} */
  const made = Object.assign(new nodeModule(file), { filename: file });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what all do that hand Node a module; its types leave it out
  const module = /** @type {Running} */ (made);
  module._compile(`module.exports = ${text}`, file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `join-modules.mjs` has written
  return /** @type {Script} */ (module.exports);
}

/**
 * The code that V8 has compiled of a script; undefined when there is none.
 *
 * @param {string} name
 */
function readCompiled(name) {
  try {
    return fs.readFileSync(path.join(COMPILED, name));
  } catch {
    return undefined;
  }
}
