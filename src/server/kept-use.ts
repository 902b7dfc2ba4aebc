/** Wires counts of use that are kept, if somebody has chosen a database; only then its library is loaded. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Usage } from '../http/admin/usage.ts';

/** Begins to count; undefined if there is no database to keep counts in. It does not connect yet. */
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
  // Tokens in the same database have a connection of their own, which logs every minute that the database is away.
  const ofConnection = config.auth.tokens.kind === 'database' ? own.child({}, { level: 'silent' }) : own;
  return createKeptUsage({ open: async () => openUseDatabase(config.storage, ofConnection), log: own });
}
