/** Parses the command line of `npm run init`. */
import { isHelpWanted } from '../help.mjs';
import { parseOptions } from '../token/options.ts';
import { type Answers, parseAddress, parseKeep, parseName, parseTitle } from './answers.ts';
import { USAGE } from '../init.usage.mjs';

/** A parsed command line. */
export interface InitLine {
  /** The answers that the command line gives, and that are not asked for. */
  readonly given: Partial<Answers>;
  readonly dropDocs: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/**
 * Parses the arguments.
 * @throws {CommandError} saying what is wrong
 */
export function parseInitLine(args: readonly string[]): InitLine | { readonly help: true } {
  if (isHelpWanted(args)) return { help: true };
  const { texts, switches } = parseOptions(args, {
    subject: 'init',
    help: USAGE,
    texts: ['name', 'title', 'address', 'keep'],
    switches: ['drop-docs', 'dry-run', 'force'],
    most: 0,
  });
  const { name, title, address, keep } = texts;
  const given: Partial<Answers> = {
    ...(name !== undefined && { name: parseName(name) }),
    ...(title !== undefined && { title: parseTitle(title) }),
    ...(address !== undefined && { address: parseAddress(address) }),
    ...(keep !== undefined && { keep: parseKeep(keep) }),
  };
  return {
    given,
    dropDocs: switches.has('drop-docs'),
    dryRun: switches.has('dry-run'),
    force: switches.has('force'),
  };
}
