/** The extension point besides `defineTool`: prompts, resources, and whatever else the SDK can do, registered on the SDK's own server. */
import type { McpServer, ServerContext, ServerNotifier, ServerOptions } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import type { Prompt } from './prompt.ts';
import type { Resource } from './resource.ts';
import type { UseService } from './service.ts';

/** Something that a fork adds: prompts and resources, and what only the SDK's own server can do. */
export interface Feature {
  readonly name: string;
  readonly prompts?: readonly Prompt[];
  readonly resources?: readonly Resource[];
  /** Options of the SDK's server that it needs: capabilities, `requestState`, `cacheHints` … Those of several features are merged. */
  readonly options?: ServerOptions;
  /**
   * Whether it keeps state of each session by itself, such as where a client is in a conversation. Sessions then end with their process,
   * even with a SERVER_SECRET. The same goes for log levels and subscriptions to resources, whose capabilities say so, unless the processes
   * share a Redis.
   */
  readonly keepsSessionState?: boolean;
  /**
   * Registers it on a server. Called for each `McpServer`, of a connection that needs one or of a stateless request, so it must be cheap.
   * The SDK answers the methods whose handlers are set here; all other messages take the fast lane as before. With a handler of
   * notifications (`oninitialized` too), every session has its server from the start. Every user sees and may use what is registered here,
   * whatever the scopes: check them in the handler, with `callerOf`. The SDK's own `scopeChallenge` sees stateless requests only. A request
   * of a handler to the client (`mcpReq.elicitInput`) needs `{ relatedRequestId: mcpReq.id }` to be sent on the stream of its own request:
   * otherwise the SDK sends it on the GET stream.
   */
  register?(server: McpServer, context: FeatureContext): void;
}

/** The context in which a feature registers itself. */
export interface FeatureContext {
  readonly log: Logger;
  /** Returns a service of the definition. */
  readonly use: UseService;
  /** Notifies the clients of every transport and revision that something has changed. */
  readonly changes: ServerNotifier;
  /** The caller of the request that a handler is serving. */
  callerOf(context: ServerContext): Caller;
}

/** Whether a feature registers anything on the SDK's server itself. */
export function hasRegistering({
  features = [],
}: {
  readonly features?: readonly Feature[] | undefined;
}): boolean {
  return features.some(({ register }) => register !== undefined);
}
