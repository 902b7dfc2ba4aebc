/** The command line of `npm run init`. */
import { parseArgs } from 'node:util';
import { CommandError, EXIT } from '../token/command-error.ts';
import { type Answers, parseAddress, parseKeep, parseName, parseTitle } from './answers.ts';
import { USAGE } from '../init.usage.mjs';

/** What was asked for. */
export interface InitLine {
  /** What need not be asked any more. */
  readonly given: Partial<Answers>;
  readonly dropDocs: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

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
    throw new CommandError(EXIT.usage, USAGE, { cause: error });
  }
}
