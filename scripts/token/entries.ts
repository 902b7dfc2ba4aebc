/** Entries of a token file as the commands name and show them: by id, with a state. */
import { tokenIdOf } from '../../src/auth/digest.ts';
import type { TokenEntry } from '../../src/auth/tokens/token-set.ts';
import { CommandError, EXIT, NOT_ON_THE_COMMAND_LINE } from './command-error.ts';
import { formatMoment } from './moments.ts';
import { printable } from '../../src/printable.ts';

/** Whether a token opens anything now. */
export type TokenState = 'valid' | 'disabled' | 'expired' | 'not yet valid';

/** What may be shown of an entry: everything but the token. */
export interface EntryFacts {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** `null`: every tool. */
  readonly scopes: readonly string[] | null;
  readonly created: string | null;
  readonly notBefore: string | null;
  readonly expiresAt: string | null;
  readonly signInsSince: string | null;
  /** Tool calls a minute; `null`: as `CALLS_PER_MINUTE` has it. */
  readonly limit: number | null;
  readonly state: TokenState;
  readonly note: string | null;
}

/**
 * The one entry whose digest begins with these hex digits.
 * @throws {CommandError} when there is none, or more than one, or when it is no id at all
 */
export function findEntry(entries: readonly TokenEntry[], id: string): TokenEntry {
  const digits = id.replace(/^sha256:/i, '').toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(digits))
    throw new CommandError(
      EXIT.usage,
      `That is not a token id: an id is the 8 hex digits that list shows. ${NOT_ON_THE_COMMAND_LINE}`,
    );
  const [found, ...others] = entries.filter(({ digest }) => digest.startsWith(digits));
  // No more digits than an id has: should they be somebody's token, they are not repeated.
  if (found === undefined)
    throw new CommandError(EXIT.noSuchToken, `There is no token with the id ${tokenIdOf(digits)}.`);
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
 * The entries of a user, of which there is at least one.
 * @throws {CommandError} when there is none
 */
export function entriesOfUser(entries: readonly TokenEntry[], userId: string): readonly TokenEntry[] {
  const found = entries.filter(({ user }) => user.userId === userId);
  if (found.length > 0) return found;
  throw new CommandError(EXIT.noSuchToken, `There is no token of the user ${printable(userId)}.`);
}

/** What may be shown of an entry. */
export function describeEntry(entry: TokenEntry, nowMs: number): EntryFacts {
  const { digest, user, expiresAtMs, notBeforeMs, signInsSinceMs, limit } = entry;
  return {
    id: tokenIdOf(digest),
    userId: user.userId,
    name: user.name,
    scopes: user.scopes ?? null,
    created: textOrNull(user.metadata['created']),
    notBefore: notBeforeMs === undefined ? null : formatMoment(notBeforeMs),
    expiresAt: expiresAtMs === undefined ? null : formatMoment(expiresAtMs),
    signInsSince: signInsSinceMs === undefined ? null : formatMoment(signInsSinceMs),
    limit: limit ?? null,
    state: stateOf(entry, nowMs),
    note: textOrNull(user.metadata['note']),
  };
}

/** The state, by the rules of the server's token set. */
function stateOf({ disabled, expiresAtMs, notBeforeMs }: TokenEntry, nowMs: number): TokenState {
  if (disabled) return 'disabled';
  if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return 'expired';
  return notBeforeMs !== undefined && nowMs < notBeforeMs ? 'not yet valid' : 'valid';
}

/** A string from the free metadata, which may hold anything. */
function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
