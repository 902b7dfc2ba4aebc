/** Describes the entries of a token file without their tokens: each has an id and a state. */
import { tokenIdOf } from '../digest.ts';
import { formatMoment } from './new-token.ts';
import type { TokenEntry } from './token-set.ts';

/** Whether a token is accepted now, and why not. */
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
  /** Tool calls a minute; `null`: the server's `CALLS_PER_MINUTE`. */
  readonly limit: number | null;
  readonly state: TokenState;
  readonly note: string | null;
}

/** Describes an entry as it is at a time. */
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

/** The state of an entry, by the same rules as in the server's token set. */
function stateOf({ disabled, expiresAtMs, notBeforeMs }: TokenEntry, nowMs: number): TokenState {
  if (disabled) return 'disabled';
  if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return 'expired';
  return notBeforeMs !== undefined && nowMs < notBeforeMs ? 'not yet valid' : 'valid';
}

/** A value of the free metadata, which may hold anything, if it is a string. */
function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
