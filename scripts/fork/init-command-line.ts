/** The command line of `npm run init`. */
import { parseArgs } from 'node:util';
import { CommandError, EXIT } from '../token/command-error.ts';
import { type Answers, EXAMPLE_NAMES, parseAddress, parseKeep, parseName, parseTitle } from './answers.ts';

/** What was asked for. */
export interface InitLine {
  /** What need not be asked any more. */
  readonly given: Partial<Answers>;
  readonly dropDocs: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** What there is. */
export const INIT_HELP = `Usage: npm run init -- [OPTIONS]

Makes a fork of this template a server of your own: changes the one place in which its name, title and address stand, removes the
example tools that you do not keep, and empties what belongs to the template: README.md, CHANGELOG.md, tests/template/.
On a terminal it asks for what is not given; elsewhere --name must be there.

  --name NAME      lower-case letters, digits, - and _: package.json, and what clients are told
  --title TITLE    for people: src/definition.ts. Default: made of the name
  --address URL    where it will run, such as https://my-app.example: homepage in package.json. Default: none
  --keep TOOLS     which example tools stay: ${EXAMPLE_NAMES.join(', ')} (with commas between them), all or none. Default: all
  --drop-docs      delete the template's own documents too: docs/01 to docs/06
  --dry-run        list what would be written and deleted, and change nothing
  --force          even though something is not committed, or the fork has been made your own already
  -h, --help       this text

Exit codes: 0 done, 1 it cannot be done (nothing has been changed), 2 wrong command line.`;

/**
 * Reads the arguments.
 * @throws {CommandError} saying what is wrong with them
 */
export function parseInitLine(args: readonly string[]): InitLine | { readonly help: true } {
  const { help, name, title, address, keep, ...flags } = parseOptions(args);
  if (help === true) return { help };
  const given: Partial<Answers> = {
    ...(name !== undefined && { name: parseName(name) }),
    ...(title !== undefined && { title: parseTitle(title) }),
    ...(address !== undefined && { address: parseAddress(address) }),
    ...(keep !== undefined && { keep: parseKeep(keep) }),
  };
  return {
    given,
    dropDocs: flags['drop-docs'] ?? false,
    dryRun: flags['dry-run'] ?? false,
    force: flags.force ?? false,
  };
}

/** Has Node parse the options. */
function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        name: { type: 'string' },
        title: { type: 'string' },
        address: { type: 'string' },
        keep: { type: 'string' },
        'drop-docs': { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        force: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new CommandError(EXIT.usage, INIT_HELP, { cause: error });
  }
}
