/** Formats scopes for tables. */

/** Formats the scopes of a token; null stands for all. */
export function formatScopes(scopes: readonly string[] | null): string {
  if (scopes === null) return 'all';
  return scopes.length === 0 ? 'none' : scopes.join(',');
}
