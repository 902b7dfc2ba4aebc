/**
 * Runs most of `npm run …`: answers `--help` at once; otherwise installs and builds what is missing, and becomes the program, so that
 * signals reach it directly. Arguments: the program without its ending, such as `scripts/token` or `lab/fuzz/main`, then the program's own.
 */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.
import { fileURLToPath } from 'node:url';
import { isHelpWanted } from './help.mjs';
import { prepareOrExit } from './prepare.mjs';

const [, , program, ...args] = process.argv;

/**
 * The exports of the `*.usage.mjs` beside each program, which needs neither packages nor a build: its usage and, where there are several
 * texts, the function that chooses one.
 *
 * @type {{ readonly USAGE: string, readonly helpFor?: (args: readonly string[]) => string | undefined }}
 */
// oxlint-disable-next-line typescript/no-unsafe-assignment -- a module by its name has no type
const { USAGE, helpFor = () => (isHelpWanted(args) ? USAGE : undefined) } = await import(
  new URL(`../${program}.usage.mjs`, import.meta.url).href
);

const help = helpFor(args);
if (help === undefined) {
  await prepareOrExit();
  const built = new URL(`../dist/${program}.js`, import.meta.url);
  // The arguments are as if the program itself had been started.
  process.argv.splice(1, 2, fileURLToPath(built));
  await import(built.href);
} else process.stdout.write(`${help}\n`);
