/** Scopes of a sign-in: what was asked for, what the entry has, and so what is granted. */
import { createUserContext, type UserContext } from '../user.ts';

/** The word by which clients ask for a refresh token, and look for one. */
export const OFFLINE_ACCESS = 'offline_access';

/** What a request's `scope` asks for. */
export interface AskedScopes {
  /** Those that there are; absent where nothing that there is was asked for, which means everything. */
  readonly scopes: readonly string[] | undefined;
  readonly wantsOffline: boolean;
}

/** Reads a `scope` parameter. Clients ask for much that only other servers have, so that unknown words are no mistake. */
export function readScope(text: string | undefined, known: readonly string[]): AskedScopes {
  const words = new Set((text ?? '').split(' '));
  const scopes = known.filter((scope) => words.has(scope));
  return { scopes: scopes.length === 0 ? undefined : scopes, wantsOffline: words.has(OFFLINE_ACCESS) };
}

/** The scopes that a sign-in grants to an entry's user; absent where that is everything. */
function grantedScopes(
  asked: readonly string[] | undefined,
  entry: readonly string[] | undefined,
): readonly string[] | undefined {
  if (asked === undefined || entry === undefined) return asked ?? entry;
  return asked.filter((scope) => entry.includes(scope));
}

/** The user of an entry with no more than a sign-in grants; what it left out, another sign-in may give. */
export function narrowUser(
  user: UserContext,
  asked: readonly string[] | undefined,
  { canStepUp }: { readonly canStepUp: boolean },
): UserContext {
  return asked === undefined
    ? user
    : createUserContext({
        ...user,
        scopes: grantedScopes(asked, user.scopes),
        obtainable: canStepUp ? (user.scopes ?? 'any') : undefined,
      });
}

/**
 * What a client is told it was granted: nothing at all too, since leaving it out means as much as was asked for (RFC 6749, section 5.1).
 * Undefined where there is no word for it, as nothing here asks for one.
 */
export function spellScope(
  { scopes, wantsOffline }: AskedScopes,
  { entry, known }: { readonly entry: readonly string[] | undefined; readonly known: readonly string[] },
): string | undefined {
  const granted = grantedScopes(scopes, entry) ?? known;
  const words = wantsOffline ? [...granted, OFFLINE_ACCESS] : granted;
  return words.length === 0 && known.length === 0 ? undefined : words.join(' ');
}
