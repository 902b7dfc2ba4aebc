/** `export`: prints the token file as the value of a secret. */
import { toOneLine } from '../../src/auth/tokens/token-edit.ts';
import { idsOfWeak } from '../../src/auth/tokens/weak-tokens.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './command-error.ts';
import { escapeUnprintable } from '../../src/printable.ts';

/** Prints the file on one line. A file without tokens is refused, because a server does not start with it. */
export const exportTokens: Command = {
  async run({ print, store, warn }) {
    const file = await store.read();
    const { length } = file.entries;
    if (length === 0)
      throw new CommandError(
        EXIT.failed,
        `${store.name} holds no token, and a server does not start without one.`,
      );
    print(escapeUnprintable(toOneLine(file)));
    const weak = idsOfWeak(file.entries);
    if (weak.length > 0)
      warn(
        'A server that others can reach refuses tokens that are short or copied from the documentation, and does not start. ' +
          `Remove them with "npm run token -- revoke ID", and export again: ${weak.join(', ')}.`,
      );
    warn(
      `Give this line to the server as the secret AUTH_TOKENS (${length} ${length === 1 ? 'token' : 'tokens'}).`,
    );
  },
};
