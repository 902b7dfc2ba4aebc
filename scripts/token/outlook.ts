/** Says after a change whether running servers take it over. */
import type { CommandContext } from './context.ts';
import type { Edited } from '../../src/auth/tokens/token-store.ts';

/** Prints the outlook for people, not with `--json`; prints warnings always. */
export function tellOutlook(
  { line, isStoreRead, print, warn }: CommandContext,
  { outlook, warnings }: Edited<unknown>,
): void {
  if (isStoreRead && !line.json) print(outlook);
  for (const warning of warnings) warn(warning);
}
