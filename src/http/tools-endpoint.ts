/** `GET /tools`: the tools that the caller may use, for people and scripts without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import { grantOf, type RequestContext, type Route } from './context.ts';

/** The route. */
export function createToolsRoute(listTools: (user: UserContext) => Promise<readonly ListedTool[]>): Route {
  const list = async (ctx: RequestContext): Promise<void> => {
    const tools = await listTools(grantOf(ctx).user);
    ctx.body = {
      tools: tools.map(({ name, title, description, inputSchema }) => ({
        name,
        title,
        description,
        inputSchema,
      })),
    };
  };
  return { path: '/tools', methods: { GET: list, HEAD: list } };
}
