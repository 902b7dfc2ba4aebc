/** What the processes of one server share while they are measured: a Redis and a secret. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { startLabRedis } from '../../redis-server.ts';
import type { Lab } from '../lab.ts';

/** The shared parts. */
export interface Shared {
  /** The variables of each process. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The secret that the processes share. */
export const SECRET = randomBytes(32).toString('base64url');

/** Starts a Redis for a row. */
export async function openShared({ directory }: Pick<Lab, 'directory'>): Promise<Shared> {
  const redis = await startLabRedis(await mkdtemp(path.join(directory, 'redis-')));
  return { env: { SERVER_SECRET: SECRET, REDIS_URL: redis.url }, close: redis.kill };
}
