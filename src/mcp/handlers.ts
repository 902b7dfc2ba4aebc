/**
 * Wraps the SDK's handlers in those of this server: lists show each user what that user may use, declared prompts and resources are served
 * with a scope check and a log line, and everything else is whatever a feature has registered.
 */
import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  type Tool as ListedTool,
} from '@modelcontextprotocol/server';
import { maySee, type UserContext } from '../auth/user.ts';
import { UNKNOWN } from './call-records.ts';
import { NO_REVISION } from './call-tool.ts';
import { callerOf } from './caller.ts';
import { refuseCursor } from './empty-lists.ts';
import { hasRegistering } from './feature.ts';
import { frameOf, type HandlerParts, type Handlers, passOn } from './inner-handlers.ts';
import { errorResult } from './tool-result.ts';
import { installCompletion, installPrompts } from './prompt-handlers.ts';
import { installResources } from './resource-handlers.ts';

/** Sets the handlers. Call it after everything has been registered. */
export function installHandlers(parts: HandlerParts): void {
  const { inner, definition, server } = parts;
  const { prompts, resources } = definition.catalogue;
  const capabilities = server.server.getCapabilities();
  if (inner.has('tools/list')) installTools(parts);
  if (capabilities.prompts !== undefined) installPrompts(parts);
  if (capabilities.resources !== undefined) installResources(parts);
  if (prompts.size + resources.size > 0) installCompletion(parts);
}

/** Returns the tools as `tools/list` shows them to a user who may call everything; undefined if there are none. */
export function listAllTools(inner: Handlers): Promise<ListedTool[]> | ListedTool[] | undefined {
  const list = inner.get('tools/list');
  // oxlint-disable-next-line no-unsafe-type-assertion -- the SDK's own handler looks neither at the request nor at its context
  const found = list?.({ method: 'tools/list' }, {} as ServerContext) as
    Promise<{ tools: ListedTool[] }> | { tools: ListedTool[] } | undefined;
  return found instanceof Promise ? found.then(({ tools }) => tools) : found?.tools;
}

/** Sets the handlers of tools: the list is filtered by scope, and calls of tools that a feature has registered have a log line as well. */
function installTools(parts: HandlerParts): void {
  const {
    server: { server },
    definition,
    inner,
    connectionCaller,
  } = parts;
  server.setRequestHandler('tools/list', async ({ params }, context) => {
    refuseCursor(params);
    const tools = (await listAllTools(inner)) ?? [];
    return { tools: [...allowedTools(tools, callerOf(context, connectionCaller).user, definition.scopes)] };
  });
  const own = new Set(definition.tools.map(({ name }) => name));
  const call = inner.get('tools/call');
  const isRegistered = createNameCheck(inner);
  server.setRequestHandler('tools/call', async (request, context) => {
    const { name } = request.params;
    const isElsewhere = !own.has(name) && hasRegistering(definition);
    if (isElsewhere) {
      // A client may send any name, even a secret by mistake.
      const asked = { kind: 'tool', name: (await isRegistered(name)) ? name : UNKNOWN } as const;
      return passOn<CallToolResult>(parts, asked, request, context, errorResult);
    }
    if (!own.has(name)) {
      const { protocolVersion = NO_REVISION } = frameOf(parts, context);
      definition.records.noteUnknown(callerOf(context, connectionCaller), protocolVersion);
      // The SDK is not asked: it looks names up in an object, and finds the members that every object has.
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${name} not found`);
    }
    // oxlint-disable-next-line no-unsafe-type-assertion -- what handlers of a method return, the SDK checks
    return call?.(request, context) as Promise<CallToolResult>;
  });
}

/** Makes a check of whether a tool is listed. For an unknown name it reads the list again: a feature may register more tools as it goes. */
function createNameCheck(inner: Handlers): (name: string) => Promise<boolean> {
  let known: ReadonlySet<string> = new Set();
  return async (name) => {
    if (!known.has(name)) known = new Set(((await listAllTools(inner)) ?? []).map((tool) => tool.name));
    return known.has(name);
  };
}

/** Leaves out the tools whose scope the user lacks and could not get by signing in again. */
export function allowedTools(
  tools: readonly ListedTool[],
  user: UserContext,
  scopes: ReadonlyMap<string, string>,
): readonly ListedTool[] {
  return user.scopes === undefined ? tools : tools.filter(({ name }) => maySee(user, scopes.get(name)));
}
