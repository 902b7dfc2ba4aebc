/** The scopes of a sign-in: of those that were asked for, the ones that the entry has are granted. */
import { createUserContext, type UserContext } from '../user.ts';

/** The scope by which clients ask for a refresh token; a client that is granted it looks for one. */
export const OFFLINE_ACCESS = 'offline_access';

/** What the `scope` of a request asks for. */
export interface AskedScopes {
  /** The known scopes that were asked for; undefined: there are none, which means all. */
  readonly scopes: readonly string[] | undefined;
  readonly wantsOffline: boolean;
}

/** Reads a `scope` parameter. Clients ask for many scopes that only other servers have, so that unknown ones are ignored. */
export function readScope(text: string | undefined, known: readonly string[]): AskedScopes {
  const words = new Set((text ?? '').split(' '));
  const scopes = known.filter((scope) => words.has(scope));
  return { scopes: scopes.length === 0 ? undefined : scopes, wantsOffline: words.has(OFFLINE_ACCESS) };
}

/** The scopes that a sign-in grants to an entry's user; undefined: all. */
function grantedScopes(
  asked: readonly string[] | undefined,
  entry: readonly string[] | undefined,
): readonly string[] | undefined {
  if (asked === undefined || entry === undefined) return asked ?? entry;
  return asked.filter((scope) => entry.includes(scope));
}

/** The user of an entry with no more scopes than a sign-in grants. With `canStepUp`, another sign-in may grant what this one left out. */
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
 * The `scope` of a token response (RFC 6749, section 5.1). It is there even if nothing was granted: without it, the client would take all that it
 * asked for as granted. Undefined when there is nothing to name, as on a server that knows no scope.
 */
export function spellScope(
  { scopes, wantsOffline }: AskedScopes,
  { entry, known }: { readonly entry: readonly string[] | undefined; readonly known: readonly string[] },
): string | undefined {
  const granted = grantedScopes(scopes, entry) ?? known;
  const words = wantsOffline ? [...granted, OFFLINE_ACCESS] : granted;
  return words.length === 0 && known.length === 0 ? undefined : words.join(' ');
}
