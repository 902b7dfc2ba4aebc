/** Delivers notifications of changes to the clients that they concern, over every transport and revision. */
import {
  InMemoryServerEventBus,
  type JSONRPCNotification,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerCapabilities,
  type ServerEvent,
  type ServerEventBus,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { once } from '../once.ts';
import type { ChangingList } from './tool.ts';

/** The hub between the sources of changes and the open connections. */
export interface Changes {
  /** The bus that subscriptions of 2026-07-28 listen to. */
  readonly subscriptions: ServerEventBus;
  /** Notifies every connection, of other processes too. */
  readonly notifier: ServerNotifier;
  /** Notifies the connections of this process, or only those of this user; subscriptions of 2026-07-28 are notified in any case. */
  publish(event: ServerEvent, userId?: string): void;
  /** Notifies the connections of this process that everything they listen for may have changed: for the time in which changes could not be heard. */
  publishAll(): void;
  /** Sets the function that passes changes on to other processes. */
  onPublish(passOn: (event: ServerEvent, userId?: string) => void): void;
  /** Notifies the sessions of a user, in every process, that a list has changed for that user. */
  tellListChanged(list: ChangingList, userId: string): void;
  /**
   * Notifies the sessions of these users that one of their lists has changed. Subscriptions of 2026-07-28 are notified whichever user they
   * belong to: the SDK's bus knows no users, and the message says only that asking again may be worth it.
   */
  listChangedFor(list: ChangingList, userIds: ReadonlySet<string>): void;
  /** Delivers changes to a follower until `leave`: a follower that never leaves is kept as long as the server. */
  join(follower: Follower): void;
  leave(follower: Follower): void;
}

/** Receives changes: a session with a fast lane, or else its SDK server. */
export interface Follower {
  readonly userId: string | undefined;
  /** The URIs of the resources that it listens for. */
  readonly resources?: Iterable<string>;
  deliverChange(event: ServerEvent): void;
}

/** Makes a follower that gets its changes from `subscriptions`, and only names the resources that it listens for. */
export function createListener(userId: string, resources: Iterable<string>): Follower {
  return { userId, resources, deliverChange: () => undefined };
}

const LISTS = ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed'] as const;

/** How many resources one session may subscribe to. */
const MAX_RESOURCE_SUBSCRIPTIONS = 1000;

/** Makes the hub of one server definition. */
export function createChanges(log: Logger): Changes {
  const report = (error: Error): void => log.error({ err: error }, 'change notification failed');
  const findBus = once(() => new InMemoryServerEventBus(report));
  const followers = new Set<Follower>();
  let passOn: ((event: ServerEvent, userId?: string) => void) | undefined;
  const publish = (event: ServerEvent, userId?: string): void => {
    findBus().publish(event);
    for (const follower of followers)
      if (userId === undefined || follower.userId === userId) follower.deliverChange(event);
  };
  const tell = (event: ServerEvent, userId?: string): void => {
    publish(event, userId);
    passOn?.(event, userId);
  };

  return {
    get subscriptions() {
      return findBus();
    },
    notifier: {
      toolsChanged: () => tell({ kind: 'tools_list_changed' }),
      promptsChanged: () => tell({ kind: 'prompts_list_changed' }),
      resourcesChanged: () => tell({ kind: 'resources_list_changed' }),
      resourceUpdated: (uri) => tell({ kind: 'resource_updated', uri }),
    },
    publish,
    publishAll() {
      for (const kind of LISTS) publish({ kind });
      const uris = new Set<string>();
      for (const follower of followers)
        for (const uri of follower.resources ?? []) {
          uris.add(uri);
          follower.deliverChange({ kind: 'resource_updated', uri });
        }
      for (const uri of uris) findBus().publish({ kind: 'resource_updated', uri });
    },
    onPublish: (listener) => void (passOn = listener),
    tellListChanged: (list, userId) => tell({ kind: `${list}_list_changed` }, userId),
    listChangedFor(list, userIds) {
      const event = { kind: `${list}_list_changed` } as const;
      findBus().publish(event);
      for (const follower of followers) {
        if (follower.userId !== undefined && userIds.has(follower.userId)) follower.deliverChange(event);
      }
    },
    join: (follower) => void followers.add(follower),
    leave: (follower) => void followers.delete(follower),
  };
}

/** The notification of a change of a list; undefined for a list that the server does not have. */
export function listChangeOf(
  { kind }: ServerEvent,
  { prompts, resources }: ServerCapabilities,
): JSONRPCNotification | undefined {
  if (kind === 'tools_list_changed') return { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
  if (kind === 'prompts_list_changed' && prompts !== undefined)
    return { jsonrpc: '2.0', method: 'notifications/prompts/list_changed' };
  if (kind === 'resources_list_changed' && resources !== undefined)
    return { jsonrpc: '2.0', method: 'notifications/resources/list_changed' };
  return undefined;
}

/** Makes the SDK's server of a session follow changes until it is closed. Call it before the server is connected. */
export function followChanges(changes: Changes, session: McpServer, userId?: string): void {
  const subscribed = acceptResourceSubscriptions(session);
  const follower: Follower = {
    userId,
    resources: subscribed,
    deliverChange: (event) => {
      // The client may go away between the event and its delivery, or may not have finished its handshake.
      deliver(session, subscribed, event).catch(() => undefined);
    },
  };
  changes.join(follower);
  // oxlint-disable-next-line prefer-add-event-listener -- the SDK's server has no addEventListener
  session.server.onclose = () => changes.leave(follower);
}

/** Handles `resources/subscribe` and `resources/unsubscribe` of the revisions before 2026. Returns the URIs that are subscribed to. */
function acceptResourceSubscriptions({ server }: McpServer): ReadonlySet<string> {
  const subscribed = new Set<string>();
  if (server.getCapabilities().resources?.subscribe !== true) return subscribed;
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    if (subscribed.size >= MAX_RESOURCE_SUBSCRIPTIONS && !subscribed.has(params.uri)) {
      const words = `A session can subscribe to at most ${MAX_RESOURCE_SUBSCRIPTIONS} resources.`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, words);
    }
    subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
  return subscribed;
}

/** Sends one change to a client, if it concerns it. As the SDK has it, a client without an open stream misses it. */
async function deliver(
  { server }: McpServer,
  subscribed: ReadonlySet<string>,
  event: ServerEvent,
): Promise<void> {
  // The senders of `McpServer` do not handle their promises: a client that goes away would end the process.
  if (event.kind === 'tools_list_changed') await server.sendToolListChanged();
  else if (event.kind === 'prompts_list_changed') await server.sendPromptListChanged();
  else if (event.kind === 'resources_list_changed') await server.sendResourceListChanged();
  else if (subscribed.has(event.uri)) await server.sendResourceUpdated({ uri: event.uri });
}
