/** What this process shares with those that come after it and those beside it: ids that all can read, and the way to the others. */
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

/**
 * Opens it.
 * @throws {ConfigError} when the processes are to meet over what this server does not have
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
  throw new ConfigError('REDIS_URL is set, and Redis has been taken out of this server: leave it away.');
}

/** What takes part in what the processes share. */
export interface Participants extends Pick<SharedState, 'peers' | 'store'> {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
}

/** Has changes and limits be those of all processes, and streams end that others cannot reach; the returned function is to be called every second. */
export function takePart({ peers, store, definition, registry }: Participants): () => void {
  shareChanges(definition, peers);
  // Others take this process for gone: clients open other streams, and know that what they have sent has not arrived.
  peers.onCutOff(() => {
    registry.endCutOff();
    store.dismiss(COME_BACK_AFTER_MS);
  });
  return shareCalls(definition.callLimit, peers);
}

/** So many users at most are in one message. */
const USERS_AT_ONCE = 5_000;

/**
 * Has the calls that a user makes anywhere count everywhere, a second later at most; no call waits for that. While the others are out of
 * reach, each process lets its part in.
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
    // What was let in of the own part while nobody listened is no others' business.
    if (!isTogether) return;
    for (let from = 0; from < spent.length; from += USERS_AT_ONCE)
      void peers.tell('calls', spent.slice(from, from + USERS_AT_ONCE));
  };
}

/** Has changes reach the clients of every process, each once. */
function shareChanges({ changes, features = [] }: McpDefinition, peers: Peers): void {
  changes.onPublish((event, userId) => void peers.tell('change', { ...event, userId }));
  peers.onTell('change', ({ userId, ...event }: ServerEvent & { readonly userId?: string }) =>
    changes.publish(event, userId),
  );
  // What was told meanwhile was not heard; without features nothing can have changed.
  if (features.length > 0) peers.onReturn(() => changes.publishAll());
}

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
    if (isCounted) void peers.tell('refused', { address, fingerprint } satisfies Failure);
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
