/** Finds entries as the commands name them: by id, or by user. */
import { tokenIdOf } from '../../src/auth/digest.ts';
import type { TokenEntry } from '../../src/auth/tokens/token-set.ts';
import { CommandError, EXIT, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';
import { printable } from '../../src/printable.ts';

/**
 * Finds the one entry whose digest begins with these hex digits.
 * @throws {CommandError} when there is none, when there are several, or when the text is no id at all
 */
export function findEntry(entries: readonly TokenEntry[], id: string): TokenEntry {
  const digits = id.replace(/^sha256:/i, '').toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(digits))
    throw new CommandError(
      EXIT.usage,
      `That is not a token id: an id is the 8 hex digits that list shows. ${NOT_ON_THE_COMMAND_LINE}`,
    );
  const [found, ...others] = entries.filter(({ digest }) => digest.startsWith(digits));
  // Only as many digits as an id has are repeated, since the digits could be somebody's token.
  if (found === undefined)
    throw new CommandError(
      EXIT.noSuchToken,
      `There is no token with the id ${tokenIdOf(digits)}; list shows all tokens.`,
    );
  if (others.length > 0) {
    const candidates = [found, ...others].map(
      ({ digest, user }) => `  ${digest.slice(0, 16)}  ${printable(user.userId)}`,
    );
    throw new CommandError(
      EXIT.noSuchToken,
      `The id ${tokenIdOf(digits)} is ambiguous. Give more digits:\n${candidates.join('\n')}`,
    );
  }
  return found;
}

/**
 * Finds the entries of a user; there is at least one.
 * @throws {CommandError} when the user has none
 */
export function entriesOfUser(entries: readonly TokenEntry[], userId: string): readonly TokenEntry[] {
  const found = entries.filter(({ user }) => user.userId === userId);
  if (found.length > 0) return found;
  throw new CommandError(
    EXIT.noSuchToken,
    `There is no token of the user ${printable(userId)}; list shows the users that have one.`,
  );
}
