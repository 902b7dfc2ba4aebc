/** The scopes that this server's tools ask for, and a word about those that none does. */
import type { CommandContext } from './context.ts';
import { ADMIN_SCOPE } from '../../src/auth/tokens/scopes.ts';
import { printable } from '../../src/printable.ts';

/** Asks the tools themselves; undefined when a fork's tools cannot be loaded here. */
export async function readToolScopes(): Promise<ReadonlySet<string> | undefined> {
  try {
    const { tools } = (await import('../../src/definition.ts')).definition;
    return new Set(tools.flatMap(({ scope }) => scope ?? []));
  } catch {
    return undefined;
  }
}

/** Warns of scopes that open nothing, as a misspelled one does. */
export async function warnOfUnknownScopes(
  { toolScopes, warn }: CommandContext,
  scopes: readonly string[],
): Promise<void> {
  if (scopes.length === 0) return;
  const known = await toolScopes();
  const unknown =
    known === undefined ? [] : scopes.filter((scope) => scope !== ADMIN_SCOPE && !known.has(scope));
  if (known === undefined || unknown.length === 0) return;
  warn(
    `No tool asks for the scope ${printable([...new Set(unknown)].join(', '))}. Those of the tools are: ` +
      `${[...known].toSorted().join(', ') || 'none'}.`,
  );
}
