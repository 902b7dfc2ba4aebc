/** Parses the command line of `npm run connect`. */
import { CLIENT_IDS, type ClientId, isClientId } from '../../src/connect/clients.ts';
import {
  CommandError,
  EXIT,
  looksLikeToken,
  misuse,
  NOT_ON_THE_COMMAND_LINE,
} from '../token/command-error.ts';
import { isHelpWanted } from '../help.mjs';
import { parseOptions } from '../token/options.ts';
import { USAGE } from '../connect.usage.mjs';
import { parseServerUrl } from '../token/server-url.ts';

/** A parsed command line. */
export interface ConnectLine {
  readonly origin: string;
  readonly tokenFromStdin: boolean;
  /** Whether to print the one-click link instead of the configuration. */
  readonly asLink: boolean;
  /** The client to print the configuration of; undefined for all of them. */
  readonly client: ClientId | undefined;
  /** The name that the client gives the server; by default its own name. */
  readonly name: string | undefined;
}

/**
 * Parses the arguments.
 * @throws {CommandError} saying what is wrong, without repeating anything that could be a token
 */
export function parseConnectLine(args: readonly string[]): ConnectLine | { readonly help: true } {
  if (args.some(looksLikeToken)) throw new CommandError(EXIT.usage, NOT_ON_THE_COMMAND_LINE);
  if (isHelpWanted(args)) return { help: true };
  const { texts, switches, positionals } = parseOptions(args, {
    subject: 'connect',
    help: USAGE,
    texts: ['url', 'client', 'name'],
    switches: ['token-stdin', 'link'],
  });
  const { url, client, name } = texts;
  if (positionals.length > 0)
    throw misuse(
      `connect takes options only; choose a client with --client NAME. ${NOT_ON_THE_COMMAND_LINE}`,
      USAGE,
    );
  if (client !== undefined && !isClientId(client))
    throw new CommandError(EXIT.usage, `There is no such client. The clients are: ${CLIENT_IDS.join(', ')}.`);
  if (switches.has('link') && client === undefined)
    throw new CommandError(EXIT.usage, '--link needs --client NAME, the client whose link to print.');
  // The name becomes a key of JSON files, an argument of commands and the id of an input.
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name))
    throw new CommandError(EXIT.usage, '--name must be at most 64 letters, digits, "_", "-" and ".".');
  const origin = parseServerUrl(url ?? 'http://localhost:8000');
  return { origin, client, name, asLink: switches.has('link'), tokenFromStdin: switches.has('token-stdin') };
}
