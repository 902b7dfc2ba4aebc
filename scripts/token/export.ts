/** `export`: the token file as the value of a secret. */
import { readEntries, toOneLine } from './token-edit.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { CommandContext } from './context.ts';

/** Prints the one line; a file without tokens is refused, because a server does not start with it. */
export async function exportTokens({ print, store, warn }: CommandContext): Promise<void> {
  const text = await store.read();
  const { length } = readEntries(text);
  if (length === 0)
    throw new CommandError(EXIT.failed, `${store.name} holds no token; a server does not start with it.`);
  print(toOneLine(text));
  warn(
    `Give this line to the server as the secret AUTH_TOKENS (${length} ${length === 1 ? 'token' : 'tokens'}).`,
  );
}
