/** Opens the tokens that the configuration names, or makes one for this run. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { ADMIN_SCOPE } from './scopes.ts';
import { TokenFileError } from './token-file-error.ts';
import { type LoadOptions, loadTokens } from './load-tokens.ts';
import { openTokenFile } from './token-file.ts';
import { parseTokens } from './parse-tokens.ts';
import { mintToken } from './new-token.ts';
import type { TokenEntry, TokenSet } from './token-set.ts';
import { judgeTokens, MIN_TOKEN_CHARS, type WeakTokens, weaknessOf } from './weak-tokens.ts';
import { digestToken } from '../digest.ts';
import { createUserContext, type UserFields } from '../user.ts';
import type { TokenVerifier } from '../verifier.ts';

/** Where the tokens come from, as the configuration says. */
export interface TokenOptions extends Pick<LoadOptions, 'log' | 'weakTokens' | 'mayBeNone'> {
  readonly source:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly path: string; readonly named: boolean }
    | { readonly kind: 'database' };
  /** Opens the tokens of the database; undefined on a server without one. */
  readonly openDatabase?: OpenTokenTable | undefined;
  /** Another token, `ADMIN_TOKEN`, whose user is an admin and has no other scope. */
  readonly adminToken?: string | undefined;
  /** Whether a token may be made for this run when none is configured. Not in production: a restart would lose it. */
  readonly allowOneRunToken: boolean;
}

/** Opens the tokens of a database together with extra entries, and with one more from `whenEmpty` if the table is empty at the start. */
export type OpenTokenTable = (options: {
  readonly log: Logger;
  readonly extraEntries: readonly TokenEntry[];
  readonly weakTokens: WeakTokens;
  readonly mayBeNone: boolean;
  readonly whenEmpty?: () => TokenEntry;
}) => Promise<TokenVerifier & { reload(): Promise<unknown>; close(): unknown }>;

/** The tokens in force. */
export interface OpenTokens {
  readonly verifier: TokenVerifier;
  /** Follows the changes of the file or the database; absent for tokens of `AUTH_TOKENS`. */
  readonly file?: { reload(): Promise<unknown>; close(): unknown };
  /** The token made for this run; the caller shows it once and forgets it. */
  readonly oneRunToken?: string;
}

/** The error when no token is configured, and none may be made for this run. */
export class NoTokensError extends Error {
  override readonly name = 'NoTokensError';
}

/**
 * Opens the tokens.
 * @throws {TokenFileError} when they cannot be used; {@link NoTokensError} when there are none
 */
export async function openTokens({
  source,
  openDatabase,
  adminToken,
  allowOneRunToken,
  mayBeNone = false,
  weakTokens = 'allow',
  log,
}: TokenOptions): Promise<OpenTokens> {
  const admins = adminToken === undefined ? [] : [adminOf(adminToken, { weakTokens, log })];
  if (source.kind === 'database')
    return openFromDatabase({ openDatabase, admins, allowOneRunToken, mayBeNone, weakTokens, log });
  const options = { log, weakTokens, mayBeNone, extraEntries: admins };
  if (source.kind === 'text')
    return {
      verifier: named('AUTH_TOKENS', () => loadInline(source.text.trim(), options)),
    };
  if (isThere(source.path)) {
    try {
      const file = await openTokenFile({ path: source.path, ...options });
      return { verifier: file, file };
    } catch (error) {
      throw withName(describePath(source.path), error);
    }
  }
  // Watched although it is not there: the first `npm run token -- create` makes it.
  const absent = { path: source.path, log, weakTokens, mayBeAbsent: true };
  if (mayBeNone || admins.length > 0) {
    // The path may also be a mistake: then nobody with a token of the intended file gets in.
    if (source.named) log.warn({ fix: NO_FILE }, 'the file of TOKENS_FILE is not there yet');
    const file = await openTokenFile({ ...absent, extraEntries: admins });
    return { verifier: file, file };
  }
  if (source.named)
    throw withName(describePath(source.path), new TokenFileError(`does not exist; ${NO_FILE}`));
  if (!allowOneRunToken) throw new NoTokensError(NO_TOKENS);
  const oneRunToken = mintToken();
  const file = await openTokenFile({ ...absent, extraEntries: [entryOf(oneRunToken, OWNER)] });
  return { verifier: file, file, oneRunToken };
}

const NO_FILE = 'run "npm run token -- create --user me" with the same TOKENS_FILE to create it';

const NO_TOKENS =
  'Authentication is on, but there is no token. Make one with "npm run token -- create --user me". Then set AUTH_TOKENS ' +
  'to what "npm run -s token -- export" prints, or put the file where TOKENS_FILE says (default: tokens.json).';

/** Opens the tokens of a database. */
async function openFromDatabase({
  openDatabase,
  admins,
  allowOneRunToken,
  mayBeNone,
  weakTokens,
  log,
}: Pick<TokenOptions, 'openDatabase' | 'allowOneRunToken' | 'log'> & {
  readonly weakTokens: WeakTokens;
  readonly mayBeNone: boolean;
  readonly admins: readonly TokenEntry[];
}): Promise<OpenTokens> {
  if (openDatabase === undefined) throw new NoTokensError(NO_DATABASE);
  let oneRunToken: string | undefined;
  const makeOne = (): TokenEntry => entryOf((oneRunToken = mintToken()), FIRST_ADMIN);
  const mayMakeOne = allowOneRunToken && admins.length === 0;
  const tokens = await openDatabase({
    log,
    extraEntries: admins,
    weakTokens,
    mayBeNone,
    ...(mayMakeOne && { whenEmpty: makeOne }),
  });
  return { verifier: tokens, file: tokens, ...(oneRunToken !== undefined && { oneRunToken }) };
}

const NO_DATABASE =
  'TOKENS_STORE=database is for the HTTP server with its database; here the tokens are in a file.';

/** The entry of a token that stands in no file. */
function entryOf(token: string, user: UserFields): TokenEntry {
  return { digest: digestToken(token), user: createUserContext(user), disabled: false };
}

/** The user of `ADMIN_TOKEN`. */
const ADMIN: UserFields = { userId: 'admin', name: 'Admin', scopes: [ADMIN_SCOPE] };

/** The user of the token that is made for an empty database: whoever starts the server on their own machine. */
const FIRST_ADMIN: UserFields = { userId: 'owner', name: 'Owner', scopes: [ADMIN_SCOPE] };

/** The entry of `ADMIN_TOKEN`, which must be as good a secret as the tokens of a file. */
function adminOf(
  token: string,
  { weakTokens, log }: Pick<Required<TokenOptions>, 'weakTokens' | 'log'>,
): TokenEntry {
  const entry = entryOf(token, ADMIN);
  const judged = { ...entry, weakness: weaknessOf(token, entry.digest) };
  named('ADMIN_TOKEN', () => judgeTokens([judged], weakTokens, log));
  return entry;
}

/** The tokens of AUTH_TOKENS: a token file's text, or one bare token. */
function loadInline(text: string, options: LoadOptions): TokenSet {
  if (/^[{["]/.test(text)) return loadTokens(text, options);
  if (!BARE_TOKEN.test(text)) throw new TokenFileError(NEITHER);
  // Parsed as the key of a file first, which refuses keys that no client can send. Then loaded by its digest: the advice to rotate a token that is in
  // the file itself does not apply here.
  const [entry] = parseTokens(JSON.stringify({ [text]: OWNER }));
  return loadTokens(JSON.stringify({ [`sha256:${entry?.digest}`]: OWNER }), options);
}

/** The user of a single token that is in no file. */
const OWNER = { userId: 'owner', name: 'Owner' };

const BARE_TOKEN = new RegExp(String.raw`^[\x21-\x7a\x7c\x7e]{${MIN_TOKEN_CHARS},}$`);

const NEITHER =
  'must be what "npm run -s token -- export" prints, a JSON object of tokens, or else one token alone: ' +
  `${MIN_TOKEN_CHARS} or more printable ASCII characters without spaces or braces, for one user called owner`;

/** Runs `load`. A {@link TokenFileError} gets the name of the text in front of its message. */
function named<T>(name: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw withName(name, error);
  }
}

/** Whether something is at a path. Also true when that cannot be told: reading it then shows why. */
function isThere(filePath: string): boolean {
  try {
    return statSync(filePath, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** A path as it was given; if it is relative, also the absolute one: a client that starts the server chooses the working directory. */
function describePath(given: string): string {
  return path.isAbsolute(given) ? given : `${given} (${path.resolve(given)})`;
}

/** A token file error with the name of the file or variable in front. */
function withName(name: string, error: unknown): unknown {
  return error instanceof TokenFileError
    ? new TokenFileError(`${name}: ${error.message}`, { cause: error })
    : error;
}
