/** The command line of `npm run connect`. */
import { parseArgs } from 'node:util';
import { CLIENT_IDS, type ClientId, isClientId } from '../../src/connect/clients.ts';
import { CommandError, EXIT, looksLikeToken, NOT_ON_THE_COMMAND_LINE } from '../token/command-error.ts';
import { parseServerUrl } from '../token/server-url.ts';

/** What was asked for. */
export interface ConnectLine {
  readonly origin: string;
  readonly tokenFromStdin: boolean;
  /** One client; without it all of them. */
  readonly client: ClientId | undefined;
}

/** What there is. */
export const CONNECT_HELP = `npm run connect -- [OPTIONS]

Prints what to paste into a client so that it finds this server: for one client, or for all of them.

  --url URL        the address of the server. Default: http://localhost:8000
  --token-stdin    read the token from standard input and put it in; without it a placeholder stands there
  --client NAME    one of: ${CLIENT_IDS.join(', ')}
  -h, --help       this text

A token is never taken from the command line. Exit codes: 0 done, 1 the configuration cannot be used, 2 wrong command line.`;

/**
 * Reads the arguments.
 * @throws {CommandError} saying what is wrong with them, without repeating what could be a token
 */
export function parseConnectLine(args: readonly string[]): ConnectLine | { readonly help: true } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  const { url, client, help, ...values } = parseOptions(args);
  if (help === true) return { help };
  if (client !== undefined && !isClientId(client))
    throw new CommandError(EXIT.usage, `There is no such client. There are: ${CLIENT_IDS.join(', ')}.`);
  const origin = parseServerUrl(url ?? 'http://localhost:8000');
  return { origin, client, tokenFromStdin: values['token-stdin'] ?? false };
}

/** Has Node parse the options. */
function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        client: { type: 'string' },
        'token-stdin': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const isToken = args.some((argument) => /^--token(=|$)/.test(argument));
    const problem = isToken ? NOT_ON_THE_COMMAND_LINE : CONNECT_HELP;
    throw new CommandError(EXIT.usage, problem, { cause: error });
  }
}
