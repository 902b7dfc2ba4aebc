/** Scopes as people write them: on a command line, in a table, on the page for admins. */

/** The scope that gives access to `/admin`. A token must list it: one without a list does not have it. */
export const ADMIN_SCOPE = 'admin';

/** The scopes of a list such as `greet,echo`; undefined for `all`, which is every tool, and an empty list for `none`. */
export function parseScopes(list: string): string[] | undefined {
  const scopes = list.split(/[\s,;]+/).filter((scope) => scope !== '');
  if (scopes.length === 1 && scopes[0] === 'all') return undefined;
  return scopes.length === 1 && scopes[0] === 'none' ? [] : [...new Set(scopes)];
}
