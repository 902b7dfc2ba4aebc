/** Options of a command line by Node's parser, with its objections in words that repeat no value. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError, EXIT, misuse, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';

/** What may stand on a command line. */
export interface OptionTable {
  /** Whose options they are: for messages. */
  readonly subject: string;
  /** What follows the objection. */
  readonly help: string;
  /** The names of those with a value. */
  readonly texts: readonly string[];
  /** The names of those without. */
  readonly switches: readonly string[];
  /** The names of those with a value that may stand there more than once. */
  readonly lists?: readonly string[];
  /** How many arguments may stand beside them. Default: as many as one likes. */
  readonly most?: number;
}

/** What stands there. */
export interface ParsedOptions {
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  readonly positionals: readonly string[];
}

/**
 * Reads the options.
 * @throws {CommandError} naming the option that is wrong
 */
export function parseOptions(args: readonly string[], table: OptionTable): ParsedOptions {
  const { subject, help, texts, most = Infinity } = table;
  const { values, positionals, tokens } = parseAsNode(args, table);
  // Node would keep the last value alone.
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const repeated = given.find((name, at) => texts.includes(name) && given.indexOf(name) !== at);
  if (repeated !== undefined) throw misuse(`--${repeated} is there twice; give it once.`, help);
  if (positionals.length > most) {
    const words = most === 0 ? 'takes options only' : 'has an argument too many';
    throw misuse(`${subject} ${words}.`, help);
  }
  const found = Object.entries(values);
  return {
    texts: Object.fromEntries(
      found.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    ),
    switches: new Set(found.flatMap(([name, value]) => (value === true ? [name] : []))),
    lists: Object.fromEntries(
      found.flatMap(([name, value]) => (Array.isArray(value) ? [[name, value.map(String)]] : [])),
    ),
    positionals,
  };
}

/** Has Node parse them, and says what it objects to. */
function parseAsNode(args: readonly string[], { subject, help, texts, switches, lists = [] }: OptionTable) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const name of texts) options[name] = { type: 'string' };
  for (const name of lists) options[name] = { type: 'string', multiple: true };
  for (const name of switches) options[name] = { type: 'boolean' };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  } catch (error) {
    // Node quotes the argument; only what can be an option's name is passed on.
    const [, option] = /'(--?[a-z]{1,16}\d?(?:-[a-z]{1,16}){0,2})(?=[' ])/.exec(String(error)) ?? [];
    const isKnown = option !== undefined && option.slice(2) in options;
    if (option === '--token' && !isKnown)
      throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE, { cause: error });
    const problem = isKnown
      ? describeMisuse(option, [...texts, ...lists])
      : `${subject} has no option ${option ?? 'like that'}.`;
    throw misuse(problem, help, { cause: error });
  }
}

/** What is wrong with an option that there is. */
function describeMisuse(option: string, texts: readonly string[]): string {
  return texts.includes(option.slice(2)) ? `${option} needs a value.` : `${option} takes no value.`;
}
