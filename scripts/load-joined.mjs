/**
 * Loads the scripts that `join-modules.mjs` has made, with what V8 has compiled of them; the build puts this file beside them. Without
 * what is compiled, or where it is another Node's, V8 compiles again, and a start takes longer.
 */
import fs from 'node:fs';
import nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

/** @typedef {Record<string, () => unknown>} Exports what a script has to offer, by names */
/** @typedef {(name: string) => unknown} Require */
/** @typedef {{ exports: Exports } & Record<string, unknown>} Module */
/** @typedef {{ exports: unknown, _compile(text: string, file: string): void }} Running */
/** @typedef {(exports: Exports, require: Require, module: Module, file: string) => void} Script */

const START = 'joined.cjs';
const SDK = 'joined-sdk.cjs';

/** What V8 has compiled is of one Node. */
const COMPILED = fileURLToPath(
  new URL(`../.compiled/${process.version}-${process.platform}-${process.arch}/`, import.meta.url),
);

/** What stays outside and is imported as it is needed, by the names that the script asks for. */
const outside = /** @type {Map<string, unknown>} */ (new Map());

/** The scripts that have run, by their names, and what each has to offer. */
const compiled = /** @type {Map<string, vm.Script>} */ (new Map());
const offers = /** @type {Map<string, Exports>} */ (new Map());

/**
 * Runs an entry, and resolves to what it exports.
 *
 * @param {string} entry
 * @param {readonly string[]} [needed] the packages outside that it imports
 */
export async function load(entry, needed = []) {
  // A script cannot wait for an import.
  for (const from of needed) outside.set(`outside:${from}`, await import(from));
  return takeFrom(START, entry, { loadSdk });
}

/**
 * Runs what an entry calls its rehearsal, and keeps what V8 has compiled by then.
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
    // The server will say the same, and louder; nobody's build fails here.
    console.error('compile-ahead:', error);
  }
  fs.mkdirSync(COMPILED, { recursive: true });
  for (const [name, script] of compiled) {
    const file = path.join(COMPILED, name);
    // Whoever starts meanwhile reads all of it or nothing.
    fs.writeFileSync(`${file}.tmp`, script.createCachedData());
    fs.renameSync(`${file}.tmp`, file);
  }
}

/**
 * A package of the SDK, whose script runs with the first one that is asked for. What both scripts need, it has from the other.
 *
 * @param {string} name
 */
function loadSdk(name) {
  return takeFrom(SDK, name, { shared: offers.get(START) });
}

/**
 * What a script has to offer under a name.
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
 * Runs a script: what it has to offer.
 *
 * @param {string} name
 * @param {Record<string, unknown>} given
 */
function run(name, given) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  // It is all ASCII, and a function: put into one here, V8 would copy it.
  const text = fs.readFileSync(file, 'latin1');
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
 * Imports what the script imports when it needs it.
 *
 * @param {string} name
 * @returns {Promise<unknown>}
 */
async function importThat(name) {
  return import(name);
}

/**
 * The function that the text of a script is, with what V8 has compiled of it; V8 itself sees whether that is of this script and this V8.
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
 * The same function, out of a module: of a script Node reads no map.
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
 * What V8 has compiled of a script.
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
