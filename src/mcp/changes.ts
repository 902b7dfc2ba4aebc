/** "Something changed", from whoever knows it to the clients it concerns, over every transport and revision. */
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

/** The hub between those who know of changes and the open connections. */
export interface Changes {
  /** Where subscriptions of 2026-07-28 listen. */
  readonly subscriptions: ServerEventBus;
  /** Tells every connection, those of other processes too. */
  readonly notifier: ServerNotifier;
  /** Tells those of this process, or of them this user's; subscriptions of 2026-07-28 are told in any case. */
  publish(event: ServerEvent, userId?: string): void;
  /** Tells those of this process that all they want to hear of may have changed: for when that could not be heard. */
  publishAll(): void;
  /** Has what is told here passed on to other processes. */
  onPublish(passOn: (event: ServerEvent, userId?: string) => void): void;
  /** Tells the sessions of a user, those of other processes too, that a list shows that user something else. */
  tellListChanged(list: ChangingList, userId: string): void;
  /**
   * Tells the sessions of these users that a list of theirs has changed. Subscriptions of 2026-07-28 are told whoever's they
   * are: the SDK's bus knows no users, and all the message says is that asking again may be worth it.
   */
  listChangedFor(list: ChangingList, userIds: ReadonlySet<string>): void;
  /** Passes changes on until `leave`: what is left on the list lives as long as the server. */
  join(follower: Follower): void;
  leave(follower: Follower): void;
}

/** Somebody who hears of changes: a session whose messages go the short way, or else its server. */
export interface Follower {
  readonly userId: string | undefined;
  /** The resources whose changes it wants to hear of. */
  readonly resources?: Iterable<string>;
  deliverChange(event: ServerEvent): void;
}

/** Somebody whose changes come by `subscriptions`: it is here for what it wants to hear of alone. */
export function createListener(userId: string, resources: Iterable<string>): Follower {
  return { userId, resources, deliverChange: () => undefined };
}

const LISTS = ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed'] as const;

/** At most so many resources may one session subscribe to. */
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

/** What a client is told of the change of a list; undefined for a list that its server does not have. */
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

/** Has the server of a session follow the changes until it is closed; call it before the server is connected. */
export function followChanges(changes: Changes, session: McpServer, userId?: string): void {
  const subscribed = acceptResourceSubscriptions(session);
  const follower: Follower = {
    userId,
    resources: subscribed,
    deliverChange: (event) => {
      // It may go away between the event and its delivery, or not have finished its handshake.
      deliver(session, subscribed, event).catch(() => undefined);
    },
  };
  changes.join(follower);
  // oxlint-disable-next-line prefer-add-event-listener -- the SDK's server has no addEventListener
  session.server.onclose = () => changes.leave(follower);
}

/** Keeps the resources that a session's client subscribes to, as the revisions before 2026 have it. */
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

/** Sends one change to a client, if it concerns it. A client without an open stream misses it, as the SDK has it. */
async function deliver(
  { server }: McpServer,
  subscribed: ReadonlySet<string>,
  event: ServerEvent,
): Promise<void> {
  // The McpServer's own senders leave their promises alone: a client that goes away would end the process.
  if (event.kind === 'tools_list_changed') await server.sendToolListChanged();
  else if (event.kind === 'prompts_list_changed') await server.sendPromptListChanged();
  else if (event.kind === 'resources_list_changed') await server.sendResourceListChanged();
  else if (subscribed.has(event.uri)) await server.sendResourceUpdated({ uri: event.uri });
}
