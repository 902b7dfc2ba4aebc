/** Reads when tokens were last used, which a server with a database keeps there. `npm run drop -- kept-use` removes this. */
import { existsSync } from 'node:fs';
import { pino } from 'pino';
import type { Config } from '../../src/config/config.ts';
import type { CommandOutput } from './context.ts';
import type { TokenUse } from './token-uses.ts';

/** The last uses, by token id; undefined where they are not kept, or where they cannot be read, with a warning. */
export async function readKeptUses(
  { keepsUse, storage }: Pick<Config, 'keepsUse' | 'storage'>,
  { now, warn }: CommandOutput,
): Promise<ReadonlyMap<string, Pick<TokenUse, 'lastUse'>> | undefined> {
  // Opening the database would make its file. Without a file, no server has kept anything.
  if (keepsUse !== true || (storage.dialect === 'sqlite' && !existsSync(storage.file))) return undefined;
  const { openUseDatabase } = await import('../../src/http/admin/kept/open-use.ts');
  const { readUse } = await import('../../src/http/admin/kept/use-tables.ts');
  const { dayOf } = await import('../../src/http/admin/use-counts.ts');
  const { reasonOf } = await import('../../src/storage/errors.ts');
  let database: Awaited<ReturnType<typeof openUseDatabase>> | undefined;
  try {
    database = await openUseDatabase(storage, pino({ level: 'silent' }));
    const uses = (await readUse(database, dayOf(now()))).uses();
    return new Map(
      [...uses].map(({ tokenId, atMs }) => [tokenId, { lastUse: new Date(atMs).toISOString().slice(0, 10) }]),
    );
  } catch (error) {
    const reason = reasonOf(error).replace(/\.$/, '');
    warn(`The last use of tokens cannot be read from the database: ${reason}.`);
    return undefined;
  } finally {
    await database?.close();
  }
}
