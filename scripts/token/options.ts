/** Parses options with Node's parser; its errors are reworded so that they repeat no value. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError, EXIT, misuse, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';

/** The options that a command line accepts. */
export interface OptionTable {
  /** The command whose options they are, for messages. */
  readonly subject: string;
  /** The help that follows an error. */
  readonly help: string;
  /** The names of the options that take a value. */
  readonly texts: readonly string[];
  /** The names of the options that take none. */
  readonly switches: readonly string[];
  /** The names of the options that take a value and may be repeated. */
  readonly lists?: readonly string[];
  /** How many positional arguments are accepted. Default: any number. */
  readonly most?: number;
}

/** The options and arguments of a command line. */
export interface ParsedOptions {
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  readonly positionals: readonly string[];
}

/**
 * Parses the options.
 * @throws {CommandError} naming the option that is wrong
 */
export function parseOptions(args: readonly string[], table: OptionTable): ParsedOptions {
  const { subject, help, texts, most = Infinity } = table;
  const { values, positionals, tokens } = parseAsNode(args, table);
  // Node's parser would silently keep the last value.
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const repeated = given.find((name, at) => texts.includes(name) && given.indexOf(name) !== at);
  if (repeated !== undefined) throw misuse(`--${repeated} is given twice; give it once.`, help);
  if (positionals.length > most) {
    const words = most === 0 ? 'takes options only' : 'has too many arguments';
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

/** Runs Node's parser, and rewords its errors. */
function parseAsNode(args: readonly string[], { subject, help, texts, switches, lists = [] }: OptionTable) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const name of texts) options[name] = { type: 'string' };
  for (const name of lists) options[name] = { type: 'string', multiple: true };
  for (const name of switches) options[name] = { type: 'boolean' };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  } catch (error) {
    // Node's error quotes the argument; only what can be an option's name is repeated.
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

/** What is wrong with the use of a known option. */
function describeMisuse(option: string, texts: readonly string[]): string {
  return texts.includes(option.slice(2)) ? `${option} needs a value.` : `${option} takes no value.`;
}
