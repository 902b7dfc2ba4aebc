/** The command line of `npm run token`: which command, with which options; mistakes are named, values never repeated. */
import { CommandError, EXIT, looksLikeToken, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';
import { COMMAND_NAMES, type CommandName, COMMANDS } from './commands.ts';
import { helpOf, OVERVIEW } from './help.ts';
import { isHelpWanted, parseOptions } from './options.ts';

/** What was asked for. */
export interface CommandLine {
  readonly command: CommandName;
  /** What stands behind the command's name: an id, or a file. */
  readonly argument: string | undefined;
  readonly json: boolean;
  /** The options that take a value. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the arguments; text is what to print instead, because help was asked for.
 * @throws {CommandError} saying what is wrong with them
 */
export function parseCommandLine(args: readonly string[]): CommandLine | { readonly help: string } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  const [first, ...rest] = args;
  if (first === undefined) throw new CommandError(EXIT.usage, OVERVIEW);
  const isHelp = first === 'help' || first === '--help' || first === '-h';
  const name = isHelp ? rest[0] : first;
  const command = COMMAND_NAMES.find((known) => known === name);
  if (isHelp || (command !== undefined && isHelpWanted(rest)))
    return { help: command === undefined ? OVERVIEW : helpOf(command) };
  if (command === undefined) throw new CommandError(EXIT.usage, `There is no such command.\n\n${OVERVIEW}`);

  const { options = {}, argument: takes } = COMMANDS[command];
  const { texts, switches, positionals } = parseOptions(rest, {
    subject: command,
    help: helpOf(command),
    texts: ['file', ...Object.keys(options)],
    switches: ['json'],
  });
  const [argument, ...extra] = positionals;
  if (extra.length > 0 || (argument !== undefined && takes === undefined)) {
    const hint = command === 'check' ? `${NOT_ON_THE_COMMAND_LINE} ` : '';
    throw new CommandError(EXIT.usage, `${hint}${command} has an argument too many.\n\n${helpOf(command)}`);
  }
  return { command, argument, json: switches.has('json'), values: texts };
}
