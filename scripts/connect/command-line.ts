/** The command line of `npm run connect`. */
import { CLIENT_IDS, type ClientId, isClientId } from '../../src/connect/clients.ts';
import { CommandError, EXIT, looksLikeToken, NOT_ON_THE_COMMAND_LINE } from '../token/command-error.ts';
import { isHelpWanted, parseOptions } from '../token/options.ts';
import { parseServerUrl } from '../token/server-url.ts';

/** What was asked for. */
export interface ConnectLine {
  readonly origin: string;
  readonly tokenFromStdin: boolean;
  /** One client; without it all of them. */
  readonly client: ClientId | undefined;
  /** What the client calls the server; without it what the server calls itself. */
  readonly name: string | undefined;
}

/** What there is. */
export const CONNECT_HELP = `npm run connect -- [OPTIONS]

Prints what to paste into a client so that it finds this server: for one client, or for all of them.

  --url URL        the address of the server. Default: http://localhost:8000
  --token-stdin    read the token from standard input and put it in; without it a placeholder stands there
  --client NAME    one of: ${CLIENT_IDS.join(', ')}
  --name NAME      what the client calls the server. Default: what it calls itself
  -h, --help       this text

A token is never taken from the command line. Exit codes: 0 done, 1 the configuration cannot be used, 2 wrong command line.`;

/**
 * Reads the arguments.
 * @throws {CommandError} saying what is wrong with them, without repeating what could be a token
 */
export function parseConnectLine(args: readonly string[]): ConnectLine | { readonly help: true } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  if (isHelpWanted(args)) return { help: true };
  const { texts, switches, positionals } = parseOptions(args, {
    subject: 'connect',
    help: CONNECT_HELP,
    texts: ['url', 'client', 'name'],
    switches: ['token-stdin'],
  });
  const { url, client, name } = texts;
  if (positionals.length > 0)
    throw new CommandError(
      EXIT.usage,
      `connect takes options only; one client is --client NAME. ${NOT_ON_THE_COMMAND_LINE}\n\n${CONNECT_HELP}`,
    );
  if (client !== undefined && !isClientId(client))
    throw new CommandError(EXIT.usage, `There is no such client. There are: ${CLIENT_IDS.join(', ')}.`);
  // It becomes a key of JSON files, an argument of commands and the id of an input.
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name))
    throw new CommandError(EXIT.usage, '--name must be at most 64 letters, digits, "_", "-" and ".".');
  const origin = parseServerUrl(url ?? 'http://localhost:8000');
  return { origin, client, name, tokenFromStdin: switches.has('token-stdin') };
}
