/** What `npm run token -- help` says, made from the table of the commands. */
import type { CommandOption } from './command.ts';
import { COMMAND_NAMES, type CommandName, COMMANDS } from './commands.ts';

/** The options of all commands. */
const COMMON = formatRows([
  ['--file FILE', 'another token file than TOKENS_FILE or tokens.json'],
  ['--json', 'answer in JSON on standard output'],
  ['-h, --help', 'this text'],
]);

/** What there is. */
export const OVERVIEW = `The tokens of this server: npm run token -- COMMAND [OPTIONS]

${formatRows(COMMAND_NAMES.map((name) => [COMMANDS[name].usage[0], COMMANDS[name].summary]))}

${COMMON}

COMMAND --help says more. For scripts, "npm run -s token" keeps npm's own lines away; where there is no npm, as in the
Docker image, it is: node dist/scripts/token.js COMMAND [OPTIONS]

A running server takes a change over within two seconds. Exit codes: 0 done, 1 the file cannot be used, 2 wrong command
line, 3 no such token (check: not valid).`;

/** What there is to say of one command. */
export function helpOf(name: CommandName): string {
  const { usage, about, options = {} } = COMMANDS[name];
  const calls = usage.map((call) => `npm run token -- ${call} [OPTIONS]`).join('\n');
  const rows = Object.entries<CommandOption>(options).map(
    ([option, [value, words]]) => [`--${option} ${value}`, words] as const,
  );
  return `${calls}\n\n${about}\n\n${rows.length === 0 ? '' : `${formatRows(rows)}\n`}${COMMON}`;
}

/** Two columns. */
function formatRows(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([left, right]) => `  ${left.padEnd(21)} ${right}`).join('\n');
}
