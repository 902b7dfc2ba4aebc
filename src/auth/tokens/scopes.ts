/** Scopes as people write them: on a command line, in a table, on the page for admins. */

/** The scope that lets in to `/admin`: a token must list it, and one without a list does not have it. */
export const ADMIN_SCOPE = 'admin';

/** The scopes of a list such as `greet,echo`; undefined for `all`, which is every tool. */
export function parseScopes(list: string): string[] | undefined {
  const scopes = list.split(/[\s,;]+/).filter((scope) => scope !== '');
  if (scopes.length === 1 && scopes[0] === 'all') return undefined;
  return scopes.length === 1 && scopes[0] === 'none' ? [] : [...new Set(scopes)];
}
