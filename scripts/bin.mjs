#!/usr/bin/env node
/**
 * The commands of the installed package, where there is no checkout, as by `npx ./mcp-auth-server-0.1.0.tgz smoke URL`. The package holds
 * built files only.
 */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.
import { fileURLToPath } from 'node:url';

/**
 * The program of each command, without folder and ending.
 *
 * @type {Readonly<Record<string, string>>}
 */
const PROGRAMS = {
  smoke: 'scripts/smoke',
  doctor: 'scripts/doctor',
  connect: 'scripts/connect',
  token: 'scripts/token',
  start: 'src/main',
  stdio: 'src/stdio',
};

const [, , command = '', ...args] = process.argv;
const program = Object.prototype.hasOwnProperty.call(PROGRAMS, command) ? PROGRAMS[command] : undefined;
if (program === undefined) {
  process.stderr.write(
    `Name a command: ${Object.keys(PROGRAMS).join(', ')}; each but the last two has --help.\n`,
  );
  process.exitCode = command === '--help' || command === '-h' ? 0 : 3;
} else {
  const built = new URL(`../dist/${program}.js`, import.meta.url);
  // The arguments are as if the program itself had been started.
  process.argv.splice(1, process.argv.length, fileURLToPath(built), ...args);
  await import(built.href);
}
