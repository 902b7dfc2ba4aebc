/** Wires counts of use that are kept, where somebody has said which database there is: its library is loaded then and not before. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Usage } from '../http/admin/usage.ts';

/** Begins to count; undefined where there is no place to keep counts. Nothing is connected yet. */
export async function openKeptUse({
  config,
  log,
}: {
  readonly config: Config;
  readonly log: Logger;
}): Promise<Usage | undefined> {
  if (config.keepsUse !== true) return undefined;
  const { createKeptUsage } = await import('../http/admin/kept/kept-usage.ts');
  const { openUseDatabase } = await import('../http/admin/kept/open-use.ts');
  const own = log.child({ service: 'use' });
  return createKeptUsage({ open: async () => openUseDatabase(config.storage, own), log: own });
}
