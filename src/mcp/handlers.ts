/**
 * Puts the handlers of this server around the SDK's own: lists show each user what that user may use, what is declared is served with
 * scope and log, and the rest is whatever a feature has registered.
 */
import type { CallToolResult, ServerContext, Tool as ListedTool } from '@modelcontextprotocol/server';
import { maySee, type UserContext } from '../auth/user.ts';
import { callerOf } from './caller.ts';
import { refuseCursor } from './empty-lists.ts';
import { hasRegistering } from './feature.ts';
import { type HandlerParts, type Handlers, passOn } from './inner-handlers.ts';
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
  if (!hasRegistering(definition)) return;
  const own = new Set(definition.tools.map(({ name }) => name));
  const call = inner.get('tools/call');
  server.setRequestHandler('tools/call', async (request, context) => {
    const { name } = request.params;
    // oxlint-disable-next-line no-unsafe-type-assertion -- what handlers of a method return, the SDK checks
    if (own.has(name)) return call?.(request, context) as Promise<CallToolResult>;
    return passOn<CallToolResult>(parts, { kind: 'tool', name }, request, context);
  });
}

/** Leaves out what the user lacks the scope for, and could not get it by signing in again. */
export function allowedTools(
  tools: readonly ListedTool[],
  user: UserContext,
  scopes: ReadonlyMap<string, string>,
): readonly ListedTool[] {
  return user.scopes === undefined ? tools : tools.filter(({ name }) => maySee(user, scopes.get(name)));
}
