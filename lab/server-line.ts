/** Parses the command line of programs that check a running server: `URL [--only NAME]`, with the token in SMOKE_TOKEN. */
import { misuse } from '../scripts/token/command-error.ts';
import { parseOptions } from '../scripts/token/options.ts';

/** A parsed command line. */
export interface ServerLine {
  /** The address of the server, without the path of its endpoint. */
  readonly url: string;
  readonly token: string | undefined;
  readonly only: string | undefined;
}

/**
 * Parses the command line of a program.
 * @throws {CommandError} saying what is wrong
 */
export function readServerLine(subject: string, help: string): ServerLine {
  const { texts, positionals } = parseOptions(process.argv.slice(2), {
    subject,
    help,
    texts: ['only'],
    switches: [],
    most: 1,
  });
  const [text] = positionals;
  if (text === undefined) throw misuse(`${subject} needs the URL of a server.`, help);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw misuse('The URL must begin with https:// or http://, such as http://localhost:8000.', help);
  const { SMOKE_TOKEN: token } = process.env;
  return {
    url: text.replace(/\/(mcp\/?)?$/, ''),
    token: token === '' ? undefined : token,
    only: texts['only'],
  };
}
