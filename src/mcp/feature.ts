/** The extension point below defineTool: whatever else the SDK can do, registered on the SDK's own server. */
import type { McpServer, ServerContext, ServerNotifier, ServerOptions } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import type { UseService } from './service.ts';

/** One thing a fork adds: prompts, resources, completions, elicitation, tools that need the SDK's own context. */
export interface Feature {
  readonly name: string;
  /** Options that the server needs for it: capabilities, `requestState`, `cacheHints` … Several features' are merged. */
  readonly options?: ServerOptions;
  /**
   * Whether it keeps something of each session by itself, such as where a client is in a conversation. Sessions then end with their process,
   * also where there is a SERVER_SECRET. The same goes for log levels and subscriptions to resources: their capabilities say so.
   */
  readonly keepsSessionState?: boolean;
  /**
   * Registers it. Called for each `McpServer`: one a connection, or one a stateless request. Must be cheap.
   * Check scopes in the handler, by `callerOf`: the SDK's own `scopeChallenge` sees stateless requests only.
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
