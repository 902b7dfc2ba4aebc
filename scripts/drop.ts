/** `npm run drop`: takes an optional part of the server out of a fork, with the lines that wire it and the tests that are its own. */
import { parseArgs } from 'node:util';
import { describeEdits, makeEdits } from './fork/edits.ts';
import { USAGE } from './drop.usage.mjs';
import type { Island } from './fork/island.ts';
import { ISLANDS } from './fork/islands.mjs';
import { planDrop } from './fork/plan-drop.ts';
import { requireCommitted } from './fork/work-tree.ts';
import { CommandError, EXIT, type ExitCode } from './token/command-error.ts';

process.exitCode = await main();

/** Does what the command line asks for, in the folder in which npm runs scripts: that of package.json. */
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

/** What was asked for. */
interface DropLine {
  readonly island: Island;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** Reads the arguments; undefined when help is wanted. */
function parseDropLine(args: readonly string[]): DropLine | undefined {
  const { values, positionals } = parseOptions(args);
  if (values.help === true) return undefined;
  const island = ISLANDS.find(({ name }) => name === positionals[0]);
  if (island === undefined || positionals.length > 1) throw new CommandError(EXIT.usage, USAGE);
  return { island, dryRun: values['dry-run'] ?? false, force: values.force ?? false };
}

/** Has Node parse the options. */
function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean' },
        force: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CommandError(EXIT.usage, USAGE, { cause: error });
  }
}

/** Plans, and then either tells or does. */
async function drop(root: string, { island, dryRun, force }: DropLine): Promise<void> {
  if (!force && !dryRun) await requireCommitted(root);
  const { edits, tests } = await planDrop(root, island, ISLANDS);
  if (dryRun) return console.log(['Would be done:', ...describeEdits(edits)].join('\n'));
  await makeEdits(root, edits);
  const { name, what, without, packages } = island;
  const paragraphs = [
    `Gone is ${what}; instead, ${without}.`,
    ...(packages.length > 0 ? [`Nothing needs these any more: npm uninstall ${packages.join(' ')}`] : []),
    ...(tests.length > 0
      ? [
          ['These tests use it beside other things. Take its cases out of those that fail:', ...tests].join(
            '\n  ',
          ),
        ]
      : []),
    `Then: npm test, and git add -A && git commit -m "Drop ${name}"`,
  ];
  console.log(paragraphs.join('\n\n'));
}
