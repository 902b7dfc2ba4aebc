/** The help of `npm run token -- --help` and `npm run token -- COMMAND --help`, made from the table of the commands. */
import { isHelpWanted } from './help.mjs';
import { COMMAND_NAMES, COMMAND_WORDS } from './token/words.mjs';

/** The options of all commands. */
const COMMON = formatRows([
  ['--file FILE', 'the token file, instead of TOKENS_FILE or tokens.json'],
  ['--json', 'answer in JSON on standard output'],
  ['-h, --help', 'this text'],
]);

/** The help of the whole program: an overview of the commands, and the options they share. */
export const USAGE = `The tokens of this server: npm run token -- COMMAND [OPTIONS]

${formatRows(COMMAND_NAMES.map((name) => [COMMAND_WORDS[name].usage[0], COMMAND_WORDS[name].summary]))}

${COMMON}

COMMAND --help says more. In scripts, use "npm run -s token", which leaves out npm's own lines. Without npm, as in the
Docker image, the command is: node dist/scripts/token.js COMMAND [OPTIONS]

A running server applies a change within two seconds. Exit codes: 0 done, 1 the file cannot be used, 2 wrong command
line, 3 no such token (check: not valid).`;

/**
 * The help that the arguments ask for, of one command or of all; undefined when they do not ask for help.
 *
 * @param {readonly string[]} args
 * @returns {string | undefined}
 */
export function helpFor(args) {
  const [first, ...rest] = args;
  const isHelp = first === 'help' || first === '--help' || first === '-h';
  const name = isHelp ? rest[0] : first;
  const command = COMMAND_NAMES.find((known) => known === name);
  if (command !== undefined && (isHelp || isHelpWanted(rest))) return helpOf(command);
  return isHelp ? USAGE : undefined;
}

/**
 * The help of one command: how it is called, what it does, and its options.
 *
 * @param {import('./token/words.mjs').CommandName} name
 */
export function helpOf(name) {
  const { usage, about, options = {} } = COMMAND_WORDS[name];
  const calls = usage.map((call) => `npm run token -- ${call} [OPTIONS]`).join('\n');
  const rows = Object.entries(options).map(
    ([option, [value, words]]) => /** @type {const} */ ([`--${option} ${value}`, words]),
  );
  return `${calls}\n\n${about}\n\n${rows.length === 0 ? '' : `${formatRows(rows)}\n`}${COMMON}`;
}

/**
 * Formats rows as two aligned columns.
 *
 * @param {readonly (readonly [string, string])[]} rows
 */
function formatRows(rows) {
  return rows.map(([left, right]) => `  ${left.padEnd(21)} ${right}`).join('\n');
}
