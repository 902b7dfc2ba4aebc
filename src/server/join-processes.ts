/** What this process shares with those that come after it and those beside it: session ids that all can read, and the way to the others. */
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import type { SharingConfig } from '../config/sharing.ts';
import type { CountFailure } from '../http/gate/rate-limit.ts';
import type { CallLimit } from '../mcp/call-limit.ts';
import type { McpDefinition } from '../mcp/server.ts';
import { createSealer } from '../sealed.ts';
import type { EventStore } from '../sessions/event-store.ts';
import { createMemoryEventStore } from '../sessions/memory-event-store.ts';
import { createNoPeers, type Peers } from '../sessions/peers.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { createSealedIds, RANDOM_IDS, type SessionIds } from '../sessions/session-ids.ts';
import { joinOverRedis } from './redis.ts';

/** The shared state. */
export interface SharedState {
  readonly sessionIds: SessionIds;
  readonly peers: Peers;
  /** Keeps the events of streams, for clients that come back. */
  readonly store: EventStore;
}

/** The options of {@link openSharedState}. */
export interface SharedStateOptions {
  readonly log: Logger;
  /** Whether everybody is the same user. */
  readonly oneUser: boolean;
}

/**
 * Opens the shared state.
 * @throws {ConfigError} when REDIS_URL is set, and Redis has been taken out of this server
 */
export async function openSharedState(
  sharing: SharingConfig,
  { log, oneUser }: SharedStateOptions,
): Promise<SharedState> {
  const alone = { peers: createNoPeers(), store: createMemoryEventStore({ oneUser }) };
  if (sharing.secrets.length === 0) return { sessionIds: RANDOM_IDS, ...alone };
  const sealer = createSealer(sharing.secrets);
  const sessionIds = createSealedIds({ sealer, maxAgeMs: sharing.sessionMaxAgeMs });
  const peers = (await joinOverRedis({ sharing, sealer, log })) ?? alone.peers;
  if (peers !== alone.peers) {
    const { PeerEventStore } = await import('../sessions/peer-event-store.ts');
    return { sessionIds, peers, store: new PeerEventStore({ peers, log, oneUser }) };
  }
  if (sharing.redis === undefined) return { sessionIds, ...alone };
  throw new ConfigError('REDIS_URL is set, but Redis has been removed from this server. Unset REDIS_URL.');
}

/** The parts that take part in what the processes share. */
export interface Participants extends Pick<SharedState, 'peers' | 'store'> {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
}

/**
 * Shares changes and call limits with all processes, and ends streams when the others cannot reach this one. Call the returned function
 * every second.
 */
export function takePart({ peers, store, definition, registry }: Participants): () => void {
  shareChanges(definition, peers);
  // The others take this process for gone: its clients open other streams, and know that what they have sent has not arrived.
  peers.onCutOff(() => {
    registry.endCutOff();
    store.dismiss(COME_BACK_AFTER_MS);
  });
  return shareCalls(definition.callLimit, peers);
}

/** How many users one message names at most. */
const USERS_AT_ONCE = 5_000;

/**
 * Counts the calls that a user makes in any process in all of them, a second later at most; no call waits for that. While the others are
 * out of reach, each process admits its share of the limit.
 */
export function shareCalls(callLimit: CallLimit, peers: Peers): () => void {
  peers.onTell('calls', (spent: readonly (readonly [string, number])[]) => {
    for (const [userId, spentMs] of spent) callLimit.noteSpent(userId, spentMs);
  });
  return () => {
    if (peers.standing === 'alone') return;
    const isTogether = peers.standing === 'together';
    callLimit.share = isTogether ? 1 : 1 / peers.count;
    const spent = [...callLimit.collectSpent()];
    // What was admitted of this process's share while nobody listened does not concern the others.
    if (!isTogether) return;
    for (let from = 0; from < spent.length; from += USERS_AT_ONCE)
      void peers.tell('calls', spent.slice(from, from + USERS_AT_ONCE));
  };
}

/** Delivers changes to the clients of every process, each once. */
function shareChanges({ changes, features = [] }: McpDefinition, peers: Peers): void {
  changes.onPublish((event, userId) => void peers.tell('change', { ...event, userId }));
  peers.onTell('change', ({ userId, ...event }: ServerEvent & { readonly userId?: string }) =>
    changes.publish(event, userId),
  );
  // Changes in the meantime were not heard; without features nothing can have changed.
  if (features.length > 0) peers.onReturn(() => changes.publishAll());
}

/** Counts refused credentials together with the other processes, so that guessing does not get as many tries at each of them. */
export function shareFailures(countFailure: CountFailure, peers: Peers): CountFailure {
  peers.onTell('refused', ({ address, fingerprint }: Failure) => {
    try {
      countFailure(address, fingerprint);
    } catch {
      // There are too many: the next request that comes to this process is told so.
    }
  });
  return (address, fingerprint) => {
    // Beyond the limit this throws: further failures are not sent to the others, however many they are, and neither are those that do not count.
    const isCounted = countFailure(address, fingerprint);
    if (isCounted) void peers.tell('refused', { address, fingerprint } satisfies Failure);
    return isCounted;
  };
}

/** A refused credential, in the message between processes. */
interface Failure {
  readonly address: string;
  readonly fingerprint: string;
}

/** The shortest time after which a client comes back to another process. Milliseconds; clients use it for as long as they are connected. */
const COME_BACK_AFTER_MS = 500;

/** Makes the times after which clients come back after a shutdown, so that not all come in one moment; undefined if there is no other process. */
export function comeBackAfter({ standing }: Pick<Peers, 'standing'>): (() => number) | undefined {
  return standing === 'alone' ? undefined : () => Math.round(COME_BACK_AFTER_MS * (1 + Math.random()));
}
