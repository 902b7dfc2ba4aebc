/**
 * Loads the script that `join-modules.mjs` has made, with what V8 has compiled of it; the build puts this file beside it. Without what is
 * compiled, or where it is another Node's, V8 compiles again, and a start takes longer.
 */
import fs from 'node:fs';
import nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

/** @typedef {Record<string, (() => Promise<Record<string, unknown>>) | undefined>} Entries */
/** @typedef {(name: string) => unknown} Require */
/** @typedef {{ exports: Entries, importThat: (name: string) => Promise<unknown> }} Module */
/** @typedef {Module & { _compile(text: string, file: string): void }} Running */
/** @typedef {(exports: Entries, require: Require, module: Module, file: string) => void} Joined */

const FILE = fileURLToPath(new URL('joined.cjs', import.meta.url));
const COMPILED = fileURLToPath(
  new URL(`../.compiled/${process.version}-${process.platform}-${process.arch}`, import.meta.url),
);

/** What stays outside and is imported as it is needed, by the names that the script asks for. */
const outside = /** @type {Map<string, unknown>} */ (new Map());

/** @type {vm.Script | undefined} */
let script;
/** @type {Entries | undefined} */
let entries;

/**
 * Runs an entry, and resolves to what it exports.
 *
 * @param {string} name
 * @param {readonly string[]} [needed] the packages outside that it imports
 */
export async function load(name, needed = []) {
  // A script cannot wait for an import.
  for (const from of needed) outside.set(`outside:${from}`, await import(from));
  entries ??= run();
  const entry = entries[name];
  if (entry === undefined) throw new Error(`${name} has not been joined; build again.`);
  return entry();
}

/**
 * Runs what an entry calls its rehearsal, and keeps what V8 has compiled by then.
 *
 * @param {string} name
 * @param {readonly string[]} [needed]
 */
export async function compileAhead(name, needed) {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compile-ahead.ts exports it
    const { rehearse } = /** @type {{ rehearse: () => Promise<void> }} */ (await load(name, needed));
    await rehearse();
  } catch (error) {
    // The server will say the same, and louder; nobody's build fails here.
    console.error('compile-ahead:', error);
  }
  if (script === undefined) return;
  fs.mkdirSync(path.dirname(COMPILED), { recursive: true });
  // Whoever starts meanwhile reads all of it or nothing.
  fs.writeFileSync(`${COMPILED}.tmp`, script.createCachedData());
  fs.renameSync(`${COMPILED}.tmp`, COMPILED);
}

/** Runs the script: its entries. */
function run() {
  // It is all ASCII.
  const text = fs.readFileSync(FILE, 'latin1');
  const inside = /** @type {Require} */ (nodeModule.createRequire(FILE));
  /** @type {Require} */
  const requireThat = (name) => outside.get(name) ?? inside(name);
  /** @type {Module} */
  const module = { exports: {}, importThat };
  if (process.sourceMapsEnabled) return runWithMaps(text, requireThat);
  script = new vm.Script(`(function (exports, require, module, __filename) {${text}\n})`, {
    filename: FILE,
    cachedData: readCompiled(),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the function that has just been written around it
  const joined = /** @type {Joined} */ (script.runInThisContext());
  joined(module.exports, requireThat, module, FILE);
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
 * Runs the script as Node runs a module: of a script it reads no map.
 *
 * @param {string} text
 * @param {Require} requireThat
 * @returns {Entries}
 */
function runWithMaps(text, requireThat) {
  /** @type {unknown} */
  const made = Object.assign(new nodeModule(FILE), {
    filename: FILE,
    require: requireThat,
    importThat,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what all do that hand Node a module; its types leave it out
  const module = /** @type {Running} */ (made);
  module._compile(text, FILE);
  return module.exports;
}

/** What V8 has compiled; V8 itself sees whether it is of this script and this V8. */
function readCompiled() {
  try {
    return fs.readFileSync(COMPILED);
  } catch {
    return undefined;
  }
}
