/** Wires Redis: with a REDIS_URL the processes of this server meet there, and without one nothing of it is loaded. */
import type { Logger } from 'pino';
import type { SharingConfig } from '../config/sharing.ts';
import type { Sealer } from '../sealed.ts';
import type { Peers } from '../sessions/peers.ts';

/** What joining the others needs. */
export interface RedisParts {
  readonly sharing: SharingConfig;
  readonly sealer: Sealer;
  readonly log: Logger;
}

/**
 * Joins the other processes; undefined without a REDIS_URL. A start waits for the first attempt, and goes on if it fails: they are joined
 * as soon as Redis can be reached.
 */
export async function joinOverRedis({ sharing: { redis }, ...rest }: RedisParts): Promise<Peers | undefined> {
  if (redis === undefined) return undefined;
  const { createRedisPeers } = await import('../sessions/redis/redis-peers.ts');
  return createRedisPeers({ ...redis, ...rest });
}
