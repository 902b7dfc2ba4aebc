/** `create`: a new token for a user. */
import { randomBytes } from 'node:crypto';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { addEntry, type EntryFields, EMPTY_TOKEN_FILE, readEntries } from './token-edit.ts';
import { digestToken } from '../../src/auth/digest.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { formatMoment, parseExpiry } from './moments.ts';
import { showNewToken } from './show-new-token.ts';

/** Makes the token, writes its digest, and only then shows it. */
export async function create(context: CommandContext): Promise<void> {
  const { line, now, store } = context;
  const { user, name, scopes, expires, note } = line.values;
  if (user === undefined)
    throw new CommandError(EXIT.usage, 'create needs --user: who the token belongs to.');
  const nowMs = now();
  const fields = {
    userId: user.trim(),
    name,
    scopes: scopes === undefined ? undefined : splitScopes(scopes),
    expiresAt: expires === undefined ? undefined : formatMoment(parseExpiry(expires, nowMs)),
    metadata: { created: formatMoment(nowMs), ...(note !== undefined && { note }) },
  };
  const token = mintToken();
  const digest = digestToken(token);
  requireValid(digest, fields);
  await store.edit((text) => ({ text: addToReadable(text, digest, fields), result: undefined }), {
    create: true,
  });
  showNewToken(context, { token, digest, fields });
}

/** A token of 256 random bits; the prefix is for secret scanners. */
export function mintToken(): string {
  return `mcp_${randomBytes(32).toString('base64url')}`;
}

/** Adds an entry to a text whose faults, if any, are the file's and not the entry's. */
export function addToReadable(text: string, digest: string, fields: EntryFields): string {
  readEntries(text);
  return addEntry(text, digest, fields);
}

/** The scopes of a list such as `greet,echo`. */
function splitScopes(list: string): string[] {
  const scopes = list.split(',').map((scope) => scope.trim());
  return [...new Set(scopes.filter((scope) => scope !== ''))];
}

/** Refuses options that a token file would not take, in the words of the file's own rules. */
function requireValid(digest: string, fields: EntryFields): void {
  try {
    addEntry(EMPTY_TOKEN_FILE, digest, fields);
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    const problems = error.message
      .replaceAll(/entry 1 field "userId"/g, '--user')
      .replaceAll(/entry 1 field "(\w+)"/g, '--$1');
    throw new CommandError(EXIT.usage, `${problems}.`, { cause: error });
  }
}
