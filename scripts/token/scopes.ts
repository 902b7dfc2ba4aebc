/** Scopes as tables show them. */

/** Scopes in words. */
export function formatScopes(scopes: readonly string[] | null): string {
  if (scopes === null) return 'all';
  return scopes.length === 0 ? 'none' : scopes.join(',');
}
