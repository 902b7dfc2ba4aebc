/** Says after a change whether a server that runs takes it over. */
import type { CommandContext } from './context.ts';
import type { Edited } from '../../src/auth/tokens/token-store.ts';

/** The good word for people; the warnings for everybody. */
export function tellOutlook(
  { line, isStoreRead, print, warn }: CommandContext,
  { outlook, warnings }: Edited<unknown>,
): void {
  if (isStoreRead && !line.json) print(outlook);
  for (const warning of warnings) warn(warning);
}
