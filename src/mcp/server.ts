/** The one MCP server definition behind every transport: the only place that registers tools on the SDK. */
import {
  type Implementation,
  McpServer,
  type ServerCapabilities,
  type ServerContext,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { hasScope, type UserContext } from '../auth/user.ts';
import { once } from '../once.ts';
import type { UseService } from './service.ts';
import type { ChangingList, Tool } from './tool.ts';
import { registrationOf, type ToolRegistration } from './tool-registration.ts';
import { type CallOrigin, callTool, isFurther, NO_REVISION, progressParams } from './call-tool.ts';
import { type Caller, callerOf, pauseOf } from './caller.ts';
import { type Changes, createChanges, followChanges } from './changes.ts';
import { byKey, capabilitiesOf, type Catalogue, createCatalogue, privateListsOf } from './catalogue.ts';
import { answerEmptyLists } from './empty-lists.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { keepPrivate, mergeOptions } from './feature-options.ts';
import { installHandlers, listAllTools } from './handlers.ts';
import { CallLimit } from './call-limit.ts';
import { CallRecords, clientNameOf } from './call-records.ts';
import { InFlight } from './in-flight.ts';
import { captureHandlers, type Handlers } from './inner-handlers.ts';
import type { Lane } from './lane.ts';
import { elicitationOf } from './question.ts';

/** What an MCP server is made of. */
export interface McpParts {
  readonly info: Implementation;
  /** For the model; see `ServerDefinition`. */
  readonly instructions?: string | undefined;
  readonly tools: readonly Tool[];
  readonly features?: readonly Feature[] | undefined;
  /** Gives tools and features the services that they ask for. */
  readonly use: UseService;
  /** The hub of changes that the services notify. Default: one of its own. */
  readonly changes?: Changes | undefined;
  readonly log: Logger;
  /** Names this process to others that serve the same sessions; absent if there are none. */
  readonly processName?: string | undefined;
  /** How many tool calls of one user may run at once. Default: no limit. */
  readonly maxCallsPerUser?: number | undefined;
  /** How many tool calls a user may make a minute. Default: no limit. */
  readonly callLimit?: CallLimit | undefined;
  /** Makes the fast lane, which answers plain messages past the SDK's dispatch; without it the SDK answers every message. */
  readonly shortWay?: (definition: McpDefinition) => Lane | undefined;
}

/** The definition, prepared once; each connection gets a server of it. */
export interface McpDefinition extends McpParts {
  readonly options: ServerOptions;
  readonly lateCapabilities: ServerCapabilities;
  readonly changes: Changes;
  readonly inFlight: InFlight;
  readonly callLimit: CallLimit;
  /** Returns the fast lane. It is made when it is first asked for: it needs the SDK, for which no start waits. */
  readonly findLane: () => Lane | undefined;
  /** Records each call. */
  readonly records: CallRecords;
  /** The SDK's view of each tool, with its JSON Schemas already made. */
  readonly registrations: readonly ToolRegistration[];
  readonly catalogue: Catalogue;
  /** The scope that a tool needs, by the tool's name. */
  readonly scopes: ReadonlyMap<string, string>;
}

/** How a server will be used. */
export interface ConnectionOptions {
  /** Makes the caller of a request, if requests do not carry one (stdio). */
  readonly caller?: () => Caller;
  /** The session, if the server is to notify its client of changes: those that concern its user. */
  readonly session?: { readonly userId: string };
  /** Whether it is for one request of the stateless revision. */
  readonly isStateless?: boolean;
}

/**
 * Prepares everything that does not depend on a connection.
 * @throws {Error} when two tools, prompts or resources have the same name or URI, or a tool's input names headers as the specification
 * forbids
 */
export function defineMcp(parts: McpParts): McpDefinition {
  const [changes, records] = [parts.changes ?? createChanges(parts.log), new CallRecords(parts.log)];
  const { instructions, features = [] } = parts;
  const catalogue = createCatalogue(features);
  const registrations = parts.tools.map(registrationOf);
  // The SDK refuses equal names as well, but not before the first session.
  byKey(parts.tools, 'tools are named', ({ name }) => name);
  const scopes = new Map(
    parts.tools.flatMap(({ name, scope }) => (scope === undefined ? [] : [[name, scope] as const])),
  );
  const merged = mergeOptions(features, capabilitiesOf(catalogue));
  const { lateCapabilities } = merged;
  const options = {
    ...(instructions !== undefined && { instructions }),
    ...keepPrivate(merged.options, [
      ...(scopes.size === 0 ? [] : (['tools/list'] as const)),
      ...privateListsOf(catalogue),
    ]),
  };
  const inFlight = new InFlight(parts.maxCallsPerUser ?? Infinity);
  const definition = {
    ...parts,
    options,
    changes,
    inFlight,
    callLimit: parts.callLimit ?? new CallLimit({ perMinute: 0 }),
    records,
    registrations,
    scopes,
    catalogue,
    lateCapabilities,
  };
  const prepared: McpDefinition = {
    ...definition,
    findLane: once(() => parts.shortWay?.(prepared)),
  };
  return prepared;
}

/** Makes the server of one connection, or of one stateless request. */
export function createMcpServer(
  definition: McpDefinition,
  { caller, session, isStateless = false }: ConnectionOptions = {},
): McpServer {
  const { info, options, registrations, features = [], use, log, changes } = definition;
  const server = new McpServer(info, options);
  server.server.registerCapabilities(definition.lateCapabilities);
  const foreign = new Set<string>();
  let isFeatureAtWork = false;
  const { handlers, release } = captureHandlers(server, (method) => {
    if (isFeatureAtWork) foreign.add(method);
  });
  const connectionCaller =
    caller && (() => ({ ...caller(), client: clientNameOf(server.server.getClientVersion()) }));
  for (const { tool, config } of registrations) {
    server.registerTool(tool.name, config, (input, context) =>
      callTool({
        tool,
        input,
        caller: callerOf(context, connectionCaller),
        protocolVersion: server.server.getNegotiatedProtocolVersion() ?? NO_REVISION,
        origin: originOf(context, tool.elicits === true ? server : undefined),
        definition,
      }),
    );
  }
  const featureContext: FeatureContext = {
    log,
    use,
    changes: changes.notifier,
    callerOf: (context) => callerOf(context, connectionCaller),
  };
  isFeatureAtWork = true;
  for (const feature of features) feature.register?.(server, featureContext);
  release();
  const { oninitialized, fallbackNotificationHandler } = server.server;
  if ((oninitialized ?? fallbackNotificationHandler) !== undefined) foreign.add('notifications');
  registered.set(server, { handlers, foreign });
  installHandlers({ server, definition, inner: handlers, connectionCaller });
  if (!isStateless) answerEmptyLists(server);
  if (session !== undefined) followChanges(changes, server, session.userId);
  return server;
}

/** Makes the origin of a tool call from the SDK's context; `asking` is the server of a tool that may ask its user. */
function originOf(context: ServerContext, asking: McpServer | undefined): CallOrigin {
  const { mcpReq } = context;
  const progressToken = mcpReq._meta?.progressToken;
  return {
    signal: mcpReq.signal,
    ...(asking !== undefined && { elicitation: elicitationOf(asking, context) }),
    get isCancelled() {
      return mcpReq.signal.aborted;
    },
    async progress(...report) {
      if (progressToken === undefined || mcpReq.signal.aborted) return;
      if (!isFurther(report, reached.get(mcpReq.signal) ?? -Infinity)) return;
      reached.set(mcpReq.signal, report[0]);
      await mcpReq.notify({
        method: 'notifications/progress',
        params: progressParams(progressToken, report),
      });
    },
    pause: (comeBackAfterMs) => pauseOf(context)?.(comeBackAfterMs) === true,
  };
}

/**
 * The last progress of each request, by its signal: after a question its tool runs anew, and the client already has the progress of the
 * earlier run.
 */
const reached = new WeakMap<AbortSignal, number>();

/** Returns a server's tools as `tools/list` shows them to a user who may call everything; undefined if it has none. */
export function listEveryTool(server: McpServer): ReturnType<typeof listAllTools> {
  return listAllTools(registered.get(server)?.handlers ?? new Map());
}

/** The methods whose handlers features have set on a server themselves; `notifications` stands for all handlers of notifications. */
export function foreignMethods(server: McpServer): ReadonlySet<string> {
  return registered.get(server)?.foreign ?? new Set();
}

/** What the SDK and features have set on each server, under this server's own handlers. */
const registered = new WeakMap<
  McpServer,
  { readonly handlers: Handlers; readonly foreign: ReadonlySet<string> }
>();

/** The lists that differ between two users because of their scopes. */
export function listsThatDiffer(
  { scopes, catalogue: { prompts, resources } }: McpDefinition,
  one: UserContext,
  other: UserContext,
): ChangingList[] {
  const differ = (needed: Iterable<string | undefined>): boolean =>
    [...needed].some((scope) => hasScope(one, scope) !== hasScope(other, scope));
  return [
    ...(differ(scopes.values()) ? (['tools'] as const) : []),
    ...(differ([...prompts.values()].map(({ scope }) => scope)) ? (['prompts'] as const) : []),
    ...(differ([...resources.values()].map(({ scope }) => scope)) ? (['resources'] as const) : []),
  ];
}
