/** The extension point beside defineTool: prompts and resources, and whatever else the SDK can do, registered on the SDK's own server. */
import type { McpServer, ServerContext, ServerNotifier, ServerOptions } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import type { Prompt } from './prompt.ts';
import type { Resource } from './resource.ts';
import type { UseService } from './service.ts';

/** One thing a fork adds: prompts and resources, and below them what only the SDK's own server can do. */
export interface Feature {
  readonly name: string;
  readonly prompts?: readonly Prompt[];
  readonly resources?: readonly Resource[];
  /** Options that the server needs for it: capabilities, `requestState`, `cacheHints` … Several features' are merged. */
  readonly options?: ServerOptions;
  /**
   * Whether it keeps something of each session by itself, such as where a client is in a conversation. Sessions then end with their process,
   * also where there is a SERVER_SECRET. The same goes for log levels and subscriptions to resources, whose capabilities say so, unless the
   * processes share a Redis.
   */
  readonly keepsSessionState?: boolean;
  /**
   * Registers it. Called for each `McpServer`: one a connection that needs one, or one a stateless request. Must be cheap.
   * What it sets here the SDK answers, all else goes the short way as ever. What hears notifications (`oninitialized` too) is there from the start.
   * What is registered here every user sees and may use, whatever the scopes: check them in the handler, by `callerOf`. The SDK's own
   * `scopeChallenge` sees stateless requests only. What a handler asks of the client (`mcpReq.elicitInput`) needs `{ relatedRequestId: mcpReq.id }`
   * to go out on the stream of its request: the SDK sends it on that of GET otherwise.
   */
  register?(server: McpServer, context: FeatureContext): void;
}

/** What a feature has at hand. */
export interface FeatureContext {
  readonly log: Logger;
  /** Gives a service of the definition. */
  readonly use: UseService;
  /** Tells the clients of every transport and revision that something changed. */
  readonly changes: ServerNotifier;
  /** The caller of the request that a handler is serving. */
  callerOf(context: ServerContext): Caller;
}

/** Whether some feature registers something itself. */
export function hasRegistering({
  features = [],
}: {
  readonly features?: readonly Feature[] | undefined;
}): boolean {
  return features.some(({ register }) => register !== undefined);
}
