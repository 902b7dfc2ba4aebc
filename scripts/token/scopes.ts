/** Scopes as people write them on a command line and as tables show them. */

/** The scopes of a list such as `greet,echo`; undefined for `all`, which is every tool. */
export function parseScopes(list: string): string[] | undefined {
  const scopes = list.split(/[\s,;]+/).filter((scope) => scope !== '');
  if (scopes.length === 1 && scopes[0] === 'all') return undefined;
  return scopes.length === 1 && scopes[0] === 'none' ? [] : [...new Set(scopes)];
}

/** Scopes in words. */
export function formatScopes(scopes: readonly string[] | null): string {
  if (scopes === null) return 'all';
  return scopes.length === 0 ? 'none' : scopes.join(',');
}
