/** What this process shares with those that come after it and those beside it: ids that all can read, and the way to the others. */
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { SharingConfig } from '../config/sharing.ts';
import type { CountFailure } from '../http/gate/rate-limit.ts';
import type { McpDefinition } from '../mcp/server.ts';
import { createSealer } from '../sealed.ts';
import type { EventStore } from '../sessions/event-store.ts';
import { createMemoryEventStore } from '../sessions/memory-event-store.ts';
import { createNoPeers, type Peers } from '../sessions/peers.ts';
import { createSealedIds, RANDOM_IDS, type SessionIds } from '../sessions/session-ids.ts';

/** What is shared. */
export interface SharedState {
  readonly sessionIds: SessionIds;
  readonly peers: Peers;
  /** Keeps what streams say, for clients that come back. */
  readonly store: EventStore;
}

/** What it is opened with. */
export interface SharedStateOptions {
  readonly log: Logger;
  /** Whether everybody is the same user. */
  readonly oneUser: boolean;
}

/** Opens it; others are joined as soon as they can be reached, and no start waits for that. */
export async function openSharedState(
  { secrets, sessionMaxAgeMs, redis }: SharingConfig,
  { log, oneUser }: SharedStateOptions,
): Promise<SharedState> {
  const alone = { peers: createNoPeers(), store: createMemoryEventStore({ oneUser }) };
  if (secrets.length === 0) return { sessionIds: RANDOM_IDS, ...alone };
  const sealer = createSealer(secrets);
  const sessionIds = createSealedIds({ sealer, maxAgeMs: sessionMaxAgeMs });
  if (redis === undefined) return { sessionIds, ...alone };
  const { createRedisPeers } = await import('../sessions/redis/redis-peers.ts');
  const { PeerEventStore } = await import('../sessions/peer-event-store.ts');
  const peers = await createRedisPeers({ ...redis, sealer, log });
  return { sessionIds, peers, store: new PeerEventStore({ peers, log, oneUser }) };
}

/** Has changes reach the clients of every process, each once. */
export function shareChanges({ changes, features = [] }: McpDefinition, peers: Peers): void {
  changes.onPublish((event, userId) => peers.tell('change', { ...event, userId }));
  peers.onTell('change', ({ userId, ...event }: ServerEvent & { readonly userId?: string }) =>
    changes.publish(event, userId),
  );
  // What was told meanwhile was not heard; without features nothing can have changed.
  if (features.length > 0) peers.onReturn(() => LISTS.forEach((kind) => changes.publish({ kind })));
}

const LISTS = ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed'] as const;

/** Counts refused credentials together with the other processes: whoever guesses is not to have as many tries at each. */
export function shareFailures(countFailure: CountFailure, peers: Peers): CountFailure {
  peers.onTell('refused', ({ address, fingerprint }: Failure) => {
    try {
      countFailure(address, fingerprint);
    } catch {
      // It is too many, which is for whoever comes here to hear.
    }
  });
  return (address, fingerprint) => {
    // Beyond the limit it throws: what would follow need not be told, however much it is, and no more need what counts no more.
    const isCounted = countFailure(address, fingerprint);
    if (isCounted) peers.tell('refused', { address, fingerprint } satisfies Failure);
    return isCounted;
  };
}

/** A refused credential as the processes tell each other. */
interface Failure {
  readonly address: string;
  readonly fingerprint: string;
}

/** The soonest that a client comes back to another process. Milliseconds; clients keep it for as long as they are connected. */
const COME_BACK_AFTER_MS = 500;

/** When clients are to come back after a shutdown, not all in one moment; undefined where nobody is there meanwhile. */
export function comeBackAfter({ standing }: Pick<Peers, 'standing'>): (() => number) | undefined {
  return standing === 'alone' ? undefined : () => Math.round(COME_BACK_AFTER_MS * (1 + Math.random()));
}
