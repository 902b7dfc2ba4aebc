/** The changes that an admin makes to existing tokens. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestToken, tokenIdOf } from '../../auth/digest.ts';
import { formatMoment, mintToken } from '../../auth/tokens/new-token.ts';
import { successorOf } from '../../auth/tokens/successor.ts';
import type { EntryChange, TokenEdits, TokenPlan } from '../../auth/tokens/token-edit.ts';
import type { TokenEntry } from '../../auth/tokens/token-set.ts';
import { HttpError } from '../errors.ts';
import { badRequest, endOf, scopesOf } from './wishes.ts';

/** The body of a request for a change. */
export const CHANGE = z.strictObject({
  action: z.enum(['disable', 'enable', 'expire', 'edit', 'sign-out', 'rotate', 'remove']),
  ids: z
    .array(z.string().regex(/^[0-9a-f]{8,64}$/))
    .min(1)
    .max(5_000),
  /** For `expire` and `edit`: a date, a length, or `never`. */
  expires: z.string().max(40).optional(),
  /** For `edit`. An empty name removes it, and the user's id is shown instead. */
  name: z.string().trim().max(200).optional(),
  scopes: z.string().max(2_000).optional(),
  /** For one token: the version that the caller has seen. If the entry has another one by now, nothing is changed. */
  version: z.string().max(64).optional(),
});

/** A requested change. */
export type Change = z.output<typeof CHANGE>;

/** A token that was made, and is shown once. */
export interface MadeToken {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly token: string;
}

/** The result of a change. */
export interface Changed {
  readonly changed: readonly { readonly id: string; readonly userId: string }[];
  readonly made: readonly MadeToken[];
}

/** How long a token that has been replaced still works: long enough to hand the next one out. Milliseconds. */
const OVERLAP_MS = 86_400_000;

/** Plans a change. `ownId` is the id of the caller's own token, which it must not end or limit: perhaps nobody else could undo that. */
export function planChange(
  wish: Change,
  entries: readonly TokenEntry[],
  { nowMs, ownId }: { readonly nowMs: number; readonly ownId: string | undefined },
): TokenPlan<Changed> {
  const chosen = findEntries(entries, wish.ids);
  const endsOwn =
    ['disable', 'remove', 'expire'].includes(wish.action) ||
    (wish.action === 'edit' && (wish.scopes !== undefined || wish.expires !== undefined));
  if (endsOwn && chosen.some(({ digest }) => tokenIdOf(digest) === ownId))
    throw new HttpError(
      409,
      'own_token',
      'This is the token that you are using here. Use the token of another admin for that.',
    );
  if (
    wish.version !== undefined &&
    (chosen.length > 1 || chosen.some((one) => versionOf(one) !== wish.version))
  )
    throw new HttpError(
      409,
      'changed_meanwhile',
      'Somebody else has changed this entry in the meantime. Look at its present values, and save again.',
    );
  const changed = chosen.map(({ digest, user }) => ({ id: tokenIdOf(digest), userId: user.userId }));
  if (wish.action === 'remove') {
    const remove = new Set(chosen.map(({ digest }) => digest));
    return { edits: { remove }, result: { changed, made: [] } };
  }
  if (wish.action === 'rotate') return planRotation(chosen, nowMs);
  const same = changeOf(wish, nowMs);
  const change = new Map(chosen.map(({ digest }) => [digest, same]));
  return { edits: { change }, result: { changed, made: [] } };
}

/** The version of an entry: a hash of everything in it but its digest. */
export function versionOf({ digest: _shownNowhere, ...entry }: TokenEntry): string {
  return createHash('sha256').update(JSON.stringify(entry)).digest('base64url').slice(0, 16);
}

/** Turns a requested change into the change of each entry. */
function changeOf({ action, expires, name, scopes }: Change, nowMs: number): EntryChange {
  const end =
    expires === undefined || expires === 'never' ? undefined : endOf(expires, nowMs, 'these tokens');
  switch (action) {
    case 'disable':
      return { disabled: true };
    case 'enable':
      return { disabled: undefined };
    case 'sign-out':
      return { signInsSince: new Date(nowMs).toISOString() };
    case 'expire':
      // Without a date: at once.
      return { expiresAt: expires === undefined ? formatMoment(nowMs) : end };
    case 'edit':
      return {
        ...(name !== undefined && { name: name === '' ? undefined : name }),
        ...(scopes !== undefined && { scopes: scopesOf(scopes) }),
        ...(expires !== undefined && { expiresAt: end }),
      };
    case 'rotate':
    case 'remove':
      break;
  }
  // Those are planned as a whole, not entry by entry.
  return {};
}

/** Plans a successor for each token; the old token works on for a while. */
function planRotation(chosen: readonly TokenEntry[], nowMs: number): TokenPlan<Changed> {
  refuseRotation(
    chosen.filter(({ disabled, user }) => disabled || typeof user.metadata['replacedBy'] === 'string'),
    'is disabled, or has been replaced. Leave it out.',
  );
  refuseRotation(
    chosen.filter(({ expiresAtMs = Infinity }) => expiresAtMs <= nowMs),
    'has expired. Leave it out, or first set when it is to end.',
  );
  const next = chosen.map((old) => {
    const token = mintToken();
    return { old, token, digest: digestToken(token) };
  });
  const add: TokenEdits['add'] = next.map(({ old, digest }) => ({
    digest,
    fields: successorOf(old, { nowMs, endMs: old.expiresAtMs }),
  }));
  const change = new Map(
    next.map(({ old, digest }) => {
      const endMs = Math.min(old.expiresAtMs ?? Infinity, nowMs + OVERLAP_MS);
      return [old.digest, { expiresAt: formatMoment(endMs), metadata: { replacedBy: tokenIdOf(digest) } }];
    }),
  );
  const made = next.map(({ old: { user }, token, digest }) => ({
    id: tokenIdOf(digest),
    userId: user.userId,
    name: user.name,
    token,
  }));
  const changed = chosen.map(({ digest, user }) => ({ id: tokenIdOf(digest), userId: user.userId }));
  return { edits: { add, change }, result: { changed, made } };
}

/** How many users a refusal names; others are only counted. */
const NAMED = 10;

/**
 * Refuses to replace tokens, and names the users of all of them: if it named one at a time, nobody could replace hundreds.
 * @throws {HttpError} 409 if there are any
 */
function refuseRotation(unable: readonly TokenEntry[], why: string): void {
  if (unable.length === 0) return;
  const named = unable.slice(0, NAMED).map(({ user }) => user.userId);
  const others = unable.length - named.length;
  const whose = `${named.join(', ')}${others === 0 ? '' : ` and of ${others} more`}`;
  throw new HttpError(409, 'not_rotatable', `A token of ${whose} ${why}`);
}

/** Finds the entry of each id; an entry that two ids name is returned once. As there may be 100,000 entries, each is looked at once. */
function findEntries(entries: readonly TokenEntry[], ids: readonly string[]): TokenEntry[] {
  const candidates = new Map<string, TokenEntry[]>(ids.map((id) => [tokenIdOf(id), []]));
  for (const entry of entries) candidates.get(tokenIdOf(entry.digest))?.push(entry);
  const found = ids.map((id) => {
    const [one, ...others] = (candidates.get(tokenIdOf(id)) ?? []).filter(({ digest }) =>
      digest.startsWith(id),
    );
    if (one === undefined)
      throw new HttpError(404, 'no_such_token', 'That token no longer exists; load the list again.');
    if (others.length > 0)
      throw badRequest('More than one token has an id that begins like this; give more digits.');
    return one;
  });
  return [...new Set(found)];
}
