/** `npm run connect`: prints what to paste into a client so that it finds this server. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../src/auth/tokens/system-error.ts';
import { parseConfig } from '../src/config/config.ts';
import { ConfigError } from '../src/config/config-error.ts';
import { readEnvironment } from '../src/config/environment.ts';
import {
  type ClientId,
  clientIdsFor,
  type Configuration,
  makeClientFile,
  renderClient,
} from '../src/connect/clients.ts';
import { spellLink } from '../src/connect/links.ts';
import { type ConnectTarget, TOKEN_PLACEHOLDER } from '../src/connect/target.ts';
import { readPackage } from '../src/package.ts';
import { parseConnectLine } from './connect/command-line.ts';
import { readToken } from './connect/read-token.ts';
import { USAGE } from './connect.usage.mjs';
import { CommandError, EXIT, type ExitCode } from './token/command-error.ts';

process.exitCode = await main();

/** Runs the command line, and returns its exit code. */
async function main(): Promise<ExitCode> {
  // The reader of standard output, such as `head`, may have gone; that is no failure.
  process.stdout.on('error', () => undefined);
  try {
    const line = parseConnectLine(process.argv.slice(2));
    if ('help' in line) {
      console.log(USAGE);
      return EXIT.done;
    }
    const token = line.tokenFromStdin ? await readToken() : undefined;
    const facts = readPackage();
    const target = {
      name: line.name ?? facts.name,
      version: facts.version,
      origin: line.origin,
      token,
      stdio: findStdio(),
    };
    const { signIn, provider } = readSettings();
    const here = { canSignIn: (signIn ?? provider) !== undefined };
    const ids = line.client === undefined ? clientIdsFor(here) : [line.client];
    const shown = ids.map((id) => renderClient(id, target));
    const file = line.client && !line.asLink && (await makeFile(line.client, target));
    if (line.client && file) return printFile(file, line.client);
    if (line.asLink) for (const configuration of shown) console.log(linkOf(configuration));
    else if (line.client === undefined) console.log(shown.map(formatSection).join('\n\n'));
    else for (const configuration of shown) printAlone(configuration);
    const isUnfilled = ({ text, oneClick }: Configuration): boolean =>
      line.asLink ? oneClick?.holdsToken === true && token === undefined : text.includes(TOKEN_PLACEHOLDER);
    if (shown.some(isUnfilled))
      console.error(`Replace ${TOKEN_PLACEHOLDER} with your token, or give it with --token-stdin.`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ConfigError)) throw error;
    console.error(error.message);
    return error instanceof CommandError ? error.exitCode : EXIT.failed;
  }
}

/**
 * The one-click link of a client.
 * @throws {CommandError} when the client has no link
 */
function linkOf({ title, oneClick }: Configuration): string {
  if (oneClick === undefined)
    throw new CommandError(
      EXIT.usage,
      `${title} has no one-click link. Leave --link out to print its configuration.`,
    );
  return spellLink(oneClick.link);
}

/**
 * Makes the file of a client; undefined when the client has none.
 * @throws {CommandError} when this installation does not have what goes into the file
 */
async function makeFile(client: ClientId, target: ConnectTarget): Promise<Uint8Array | undefined> {
  try {
    return await makeClientFile(client, target);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    const words =
      'This installation lacks the folder bundle/ beside dist/, from which that file is made. Install the whole package.';
    throw new CommandError(EXIT.failed, words, { cause });
  }
}

/**
 * Prints a file, which is meant to be redirected: `> my.mcpb` keeps it.
 * @throws {CommandError} when standard output is a terminal
 */
function printFile(bytes: Uint8Array, client: ClientId): ExitCode {
  // npm prints lines of its own to standard output, and strict readers refuse an archive that begins with them.
  const words = `The output is a file: redirect it, such as > my.mcpb. With npm run, that is npm run -s connect -- --client ${client} … > my.mcpb: without -s, npm writes lines of its own into the file.`;
  if (process.stdout.isTTY) throw new CommandError(EXIT.usage, words);
  process.stdout.write(bytes);
  return EXIT.done;
}

/** Prints nothing but the configuration of one client to standard output, so that it can be piped. */
function printAlone({ where, note, text }: Configuration): void {
  console.error(`Goes into ${where}.${note === undefined ? '' : ` ${note}`}`);
  console.log(text);
}

/** Formats the configuration of one client, where all are printed. */
function formatSection({ id, title, where, note, text }: Configuration): string {
  const head = [`${title} (${id})`, `  goes into ${where}`, ...(note === undefined ? [] : [`  ${note}`])];
  return [...head, '', text].join('\n');
}

/** The stdio server of this folder, if it has been built here. */
function findStdio() {
  const entry = fileURLToPath(new URL('../src/stdio.js', import.meta.url));
  if (!existsSync(entry)) return undefined;
  const { auth } = readSettings();
  return { entry, tokensFile: path.resolve(auth.tokens.kind === 'file' ? auth.tokens.path : 'tokens.json') };
}

/** The settings of this folder's server. AUTH_TOKENS is left out, so its value cannot cause an error. */
function readSettings() {
  return parseConfig({ ...readEnvironment(process.env), AUTH_TOKENS: undefined });
}
