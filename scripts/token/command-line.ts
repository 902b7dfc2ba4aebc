/** The command line of `npm run token`: which command, with which options; mistakes are named, values never repeated. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError, EXIT, looksLikeToken, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';
import { COMMAND_NAMES, type CommandName, HELP, OVERVIEW } from './help.ts';

/** What was asked for. */
export interface CommandLine {
  readonly command: CommandName;
  readonly id: string | undefined;
  readonly json: boolean;
  /** The options that take a value. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** What may stand behind each command; `--file`, `--json` and `--help` go with all of them. */
const OPTIONS: Readonly<Record<CommandName, readonly string[]>> = {
  create: ['user', 'name', 'scopes', 'expires', 'note', 'url'],
  list: [],
  revoke: ['user'],
  rotate: ['overlap', 'expires', 'url'],
  check: [],
  export: [],
};

const TAKES_ID: ReadonlySet<CommandName> = new Set(['revoke', 'rotate']);

/**
 * Reads the arguments; text is what to print instead, because help was asked for.
 * @throws {CommandError} saying what is wrong with them
 */
export function parseCommandLine(args: readonly string[]): CommandLine | { readonly help: string } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  const [first, ...rest] = args;
  if (first === undefined) throw new CommandError(EXIT.usage, OVERVIEW);
  const wantsHelp = first === 'help' || first === '--help' || first === '-h';
  const name = wantsHelp ? rest[0] : first;
  const command = COMMAND_NAMES.find((known) => known === name);
  if (wantsHelp) return { help: command === undefined ? OVERVIEW : HELP[command] };
  if (command === undefined) throw new CommandError(EXIT.usage, `There is no such command.\n\n${OVERVIEW}`);

  const { values, positionals } = parseOptions(command, rest);
  if (values['help'] === true) return { help: HELP[command] };
  const [id, ...extra] = positionals;
  if (extra.length > 0 || (id !== undefined && !TAKES_ID.has(command))) {
    const hint = command === 'check' ? `${NOT_ON_THE_COMMAND_LINE} ` : '';
    throw new CommandError(EXIT.usage, `${hint}${command} has an argument too many.\n\n${HELP[command]}`);
  }
  const texts: Record<string, string> = {};
  for (const [option, value] of Object.entries(values)) if (typeof value === 'string') texts[option] = value;
  return { command, id, json: values['json'] === true, values: texts };
}

/** Has Node parse what stands behind the command, and puts its objections into our words. */
function parseOptions(command: CommandName, args: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {
    file: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  };
  for (const name of OPTIONS[command]) options[name] = { type: 'string' };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node quotes the argument; only what can be an option's name is passed on.
    const [, option] = /'(--?[a-z]{1,16})\b/.exec(String(error)) ?? [];
    if (option === '--token') throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE, { cause: error });
    const isKnown = option !== undefined && option.slice(2) in options;
    const problem = isKnown
      ? `${option} is used wrongly.`
      : `${command} has no option ${option ?? 'like that'}.`;
    throw new CommandError(EXIT.usage, `${problem}\n\n${HELP[command]}`, { cause: error });
  }
}
