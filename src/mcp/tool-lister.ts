/** The list of tools outside a session: what `tools/list` would show, for callers without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import { once } from '../once.ts';
import { hasRegistering } from './feature.ts';
import { allowedTools } from './handlers.ts';
import { createMcpServer, listEveryTool, type McpDefinition } from './server.ts';

/** Makes the lister of a definition's tools. */
export function createToolLister(definition: McpDefinition): ToolLister {
  // One server that is never connected: its list handler is the very one that clients' lists come from.
  const findProbe = once(() => createMcpServer(definition));
  const mayChange = hasRegistering(definition);
  // A feature may register something wrong, and then the start must fail.
  if (mayChange) findProbe();
  let known: readonly ListedTool[] | undefined;
  const listFor = async (user: UserContext): Promise<readonly ListedTool[]> => {
    const all = (await listEveryTool(findProbe())) ?? [];
    // Only a feature could change the list while the server runs.
    if (!mayChange) known = all;
    return allowedTools(all, user, definition.scopes);
  };
  return (user) => (known === undefined ? listFor(user) : allowedTools(known, user, definition.scopes));
}

/** Lists the tools that a user may use. Returns at once when the list is known, since a promise would cost every request. */
export type ToolLister = (user: UserContext) => readonly ListedTool[] | Promise<readonly ListedTool[]>;
