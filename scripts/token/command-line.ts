/** Parses the command line of `npm run token`. Errors name the mistake and never repeat a value. */
import { CommandError, EXIT, looksLikeToken, misuse, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';
import { parseOptions } from './options.ts';
import { COMMAND_NAMES, COMMAND_WORDS, type CommandName } from './words.mjs';
import { helpFor, helpOf, USAGE } from '../token.usage.mjs';

/** A parsed command line. */
export interface CommandLine {
  readonly command: CommandName;
  /** The argument after the command's name: an id, or a file. */
  readonly argument: string | undefined;
  readonly json: boolean;
  /** The options that take a value. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/**
 * Parses the arguments. Returns the help text instead when they ask for it.
 * @throws {CommandError} when they are wrong, saying how
 */
export function parseCommandLine(args: readonly string[]): CommandLine | { readonly help: string } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  const help = helpFor(args);
  if (help !== undefined) return { help };
  const [name, ...rest] = args;
  if (name === undefined) throw new CommandError(EXIT.usage, USAGE);
  const command = COMMAND_NAMES.find((known) => known === name);
  if (command === undefined) throw misuse('There is no such command.', USAGE);

  const { options = {}, argument: takes } = COMMAND_WORDS[command];
  const { texts, switches, positionals } = parseOptions(rest, {
    subject: command,
    help: helpOf(command),
    texts: ['file', ...Object.keys(options)],
    switches: ['json'],
  });
  const [argument, ...extra] = positionals;
  if (extra.length > 0 || (argument !== undefined && takes === undefined)) {
    const hint = command === 'check' ? `${NOT_ON_THE_COMMAND_LINE} ` : '';
    throw misuse(`${hint}${command} has too many arguments.`, helpOf(command));
  }
  return { command, argument, json: switches.has('json'), values: texts };
}
