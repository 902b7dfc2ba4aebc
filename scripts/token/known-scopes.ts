/** Finds the scopes that something of this server asks for, and warns of others. */
import type { CommandContext } from './context.ts';
import { ADMIN_SCOPE } from '../../src/auth/tokens/scopes.ts';
import { scopesAskedFor } from '../../src/mcp/call-scopes.ts';
import { printable } from '../../src/printable.ts';
import type { ServerDefinition } from '../../src/server/server-definition.ts';

/** The scopes that the definition asks for; undefined when a fork's own definition cannot be loaded here. */
export async function readKnownScopes(
  load: () => Promise<{ readonly definition: ServerDefinition }> = async () =>
    import('../../src/definition.ts'),
): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(scopesAskedFor((await load()).definition));
  } catch {
    return undefined;
  }
}

/** Warns of scopes that open nothing, as a misspelled one would. */
export async function warnOfUnknownScopes(
  { knownScopes, warn }: CommandContext,
  scopes: readonly string[],
): Promise<void> {
  if (scopes.length === 0) return;
  const known = await knownScopes();
  const unknown =
    known === undefined ? [] : scopes.filter((scope) => scope !== ADMIN_SCOPE && !known.has(scope));
  if (known === undefined || unknown.length === 0) return;
  warn(
    `Nothing on this server needs the scope ${printable([...new Set(unknown)].join(', '))}. The scopes that it knows are: ` +
      `${[...known].toSorted().join(', ') || 'none'}.`,
  );
}
