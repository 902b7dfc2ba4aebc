/** `create`: a new token for a user. */
import { digestToken } from '../../src/auth/digest.ts';
import {
  editTokens,
  EMPTY_TOKEN_FILE,
  type EntryFields,
  readTokenText,
} from '../../src/auth/tokens/token-edit.ts';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import type { Command } from './command.ts';
import { formatMoment, mintToken } from '../../src/auth/tokens/new-token.ts';
import { CommandError, EXIT } from './command-error.ts';
import { parseExpiry } from './moments.ts';
import { parseScopes } from '../../src/auth/tokens/scopes.ts';
import { showNewToken } from './show-new-token.ts';
import { warnOfUnknownScopes } from './known-scopes.ts';

/** Makes the token, stores its digest, and only then shows the token. */
export const create: Command = {
  async run(context) {
    const { line, now, store } = context;
    const { user, name, scopes, expires, limit, note } = line.values;
    if (user === undefined)
      throw new CommandError(EXIT.usage, 'create needs --user, the user that the token belongs to.');
    const nowMs = now();
    const fields = newEntry({ user, name, scopes, expires, limit, note }, nowMs);
    const token = mintToken();
    const digest = digestToken(token);
    requireValid(fields, '--');
    // Reading the address refuses a wrong --url before anything is written.
    void context.address;
    const edited = await store.edit(() => ({ edits: { add: [{ digest, fields }] }, result: {} }), {
      create: true,
    });
    await warnOfUnknownScopes(context, fields.scopes ?? []);
    showNewToken(context, { token, digest, fields }, edited);
  },
};

/** The fields of a token to make, as a person wrote them. */
export interface TokenWish {
  readonly user: string;
  readonly name?: string | undefined;
  readonly scopes?: string | undefined;
  readonly expires?: string | undefined;
  readonly limit?: string | undefined;
  readonly note?: string | undefined;
}

/** The entry of a token that is created at this time. */
export function newEntry(
  { user, name, scopes, expires, limit, note }: TokenWish,
  nowMs: number,
): EntryFields {
  return {
    userId: user.trim(),
    name,
    scopes: scopes === undefined ? undefined : parseScopes(scopes),
    expiresAt: expires === undefined ? undefined : formatMoment(parseExpiry(expires, nowMs)),
    limit: limit === undefined ? undefined : parseLimit(limit),
    metadata: { created: formatMoment(nowMs), ...(note !== undefined && { note }) },
  };
}

/**
 * Parses a number of calls a minute. The rules of the token file limit how large it may be.
 * @throws {CommandError} when the text is no number
 */
export function parseLimit(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CommandError(EXIT.usage, '--limit must be a number of tool calls a minute, such as 60.');
}

/**
 * Refuses fields that the token file would not accept, with the words of the file's rules.
 * @param prefix what to put before the name of an option or a column
 */
export function requireValid(fields: EntryFields, prefix: string): void {
  try {
    editTokens(readTokenText(EMPTY_TOKEN_FILE), { add: [{ digest: '0'.repeat(64), fields }] });
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new CommandError(EXIT.usage, `${namingOptions(error.message, prefix)}.`, { cause: error });
  }
}

/** Puts the names of options in the place of the entry fields that the file's rules name. */
export function namingOptions(problems: string, prefix: string): string {
  return problems
    .replaceAll('the entry field "userId"', `${prefix}user`)
    .replaceAll('the entry field "expiresAt"', `${prefix}expires`)
    .replaceAll(/the entry field "(\w+)"/g, `${prefix}$1`);
}
