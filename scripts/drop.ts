/** `npm run drop`: removes an optional part of the server from a fork, with the lines that wire it and the tests of that part alone. */
import { printable } from '../src/printable.ts';
import { describeEdits, makeEdits } from './fork/edits.ts';
import { USAGE } from './drop.usage.mjs';
import { removalOf } from './fork/fork-readme.ts';
import type { Island } from './fork/island.ts';
import { ISLANDS } from './fork/islands.mjs';
import { planDrop } from './fork/plan-drop.ts';
import { requireCommitted } from './fork/work-tree.ts';
import { isHelpWanted } from './help.mjs';
import { CommandError, EXIT, type ExitCode, misuse } from './token/command-error.ts';
import { parseOptions } from './token/options.ts';

process.exitCode = await main();

/** Runs the command line in the folder in which npm runs scripts, that of package.json. Returns the exit code. */
async function main(): Promise<ExitCode> {
  try {
    const line = parseDropLine(process.argv.slice(2));
    if (line === undefined) console.log(USAGE);
    else await drop(process.cwd(), line);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

/** A parsed command line. */
interface DropLine {
  readonly island: Island;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** Parses the arguments; undefined when they ask for help. */
function parseDropLine(args: readonly string[]): DropLine | undefined {
  if (isHelpWanted(args)) return undefined;
  const { switches, positionals } = parseOptions(args, {
    subject: 'drop',
    help: USAGE,
    texts: [],
    switches: ['dry-run', 'force'],
  });
  const [wanted, ...others] = positionals;
  if (wanted === undefined) throw misuse('drop needs the name of the part to remove.', USAGE);
  if (others.length > 0)
    throw misuse('drop removes one part at a time: commit, then run it again for the next one.', USAGE);
  const island = ISLANDS.find(({ name }) => name === wanted);
  if (island === undefined) throw misuse(`There is no part with the name ${printable(wanted)}.`, USAGE);
  return { island, dryRun: switches.has('dry-run'), force: switches.has('force') };
}

/** Plans the edits, then prints them (`--dry-run`) or makes them. */
async function drop(root: string, { island, dryRun, force }: DropLine): Promise<void> {
  if (!force && !dryRun) await requireCommitted(root);
  const { edits, tests, importers, unlisted } = await planDrop(root, island, ISLANDS);
  const broken =
    importers.length > 0
      ? [
          [
            'These files import what is removed, and do not compile until you change them:',
            ...importers,
          ].join('\n  '),
        ]
      : [];
  if (dryRun)
    return console.log(
      [['These changes would be made:', ...describeEdits(edits)].join('\n'), ...broken].join('\n\n'),
    );
  await makeEdits(root, edits);
  const { name, what, without, packages } = island;
  const paragraphs = [
    `Removed: ${what}. Now ${without}.`,
    ...(packages.length > 0
      ? [`These packages are no longer needed: npm uninstall ${packages.join(' ')}`]
      : []),
    ...broken,
    ...(tests.length > 0
      ? [['These tests also use the part. Remove its cases from those that fail:', ...tests].join('\n  ')]
      : []),
    ...(unlisted.length > 0
      ? [
          `After you merge a later version of the template, remove the part again with:\n  ${removalOf(unlisted)}`,
        ]
      : []),
    `Then: npm test, and git add -A && git commit -m "Drop ${name}"`,
  ];
  console.log(paragraphs.join('\n\n'));
}
