/**
 * Puts the handlers of this server around the SDK's own: lists show each user what that user may use, what is declared is served with
 * scope and log, and the rest is whatever a feature has registered.
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

/** Sets the handlers; to be called when everything has been registered. */
export function installHandlers(parts: HandlerParts): void {
  const { inner, definition, server } = parts;
  const { prompts, resources } = definition.catalogue;
  const capabilities = server.server.getCapabilities();
  if (inner.has('tools/list')) installTools(parts);
  if (capabilities.prompts !== undefined) installPrompts(parts);
  if (capabilities.resources !== undefined) installResources(parts);
  if (prompts.size + resources.size > 0) installCompletion(parts);
}

/** What `tools/list` says to a user who may call everything; undefined where there are no tools. */
export function listAllTools(inner: Handlers): Promise<ListedTool[]> | ListedTool[] | undefined {
  const list = inner.get('tools/list');
  // oxlint-disable-next-line no-unsafe-type-assertion -- the SDK's own handler looks neither at the request nor at its context
  const found = list?.({ method: 'tools/list' }, {} as ServerContext) as
    Promise<{ tools: ListedTool[] }> | { tools: ListedTool[] } | undefined;
  return found instanceof Promise ? found.then(({ tools }) => tools) : found?.tools;
}

/** Tools are filtered by scope; calls of those that a feature has registered leave a line as well. */
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
      // A client may send any name, and a secret by mistake.
      const asked = { kind: 'tool', name: (await isRegistered(name)) ? name : UNKNOWN } as const;
      return passOn<CallToolResult>(parts, asked, request, context, errorResult);
    }
    if (!own.has(name)) {
      const { protocolVersion = NO_REVISION } = frameOf(parts, context);
      definition.records.noteUnknown(callerOf(context, connectionCaller), protocolVersion);
      // Not the SDK: it looks names up in an object, and finds what every object has.
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${name} not found`);
    }
    // oxlint-disable-next-line no-unsafe-type-assertion -- what handlers of a method return, the SDK checks
    return call?.(request, context) as Promise<CallToolResult>;
  });
}

/** Tells whether a tool is listed, by a feature that may register more as it goes. */
function createNameCheck(inner: Handlers): (name: string) => Promise<boolean> {
  let known: ReadonlySet<string> = new Set();
  return async (name) => {
    if (!known.has(name)) known = new Set(((await listAllTools(inner)) ?? []).map((tool) => tool.name));
    return known.has(name);
  };
}

/** Leaves out what the user lacks the scope for, and could not get it by signing in again. */
export function allowedTools(
  tools: readonly ListedTool[],
  user: UserContext,
  scopes: ReadonlyMap<string, string>,
): readonly ListedTool[] {
  return user.scopes === undefined ? tools : tools.filter(({ name }) => maySee(user, scopes.get(name)));
}
