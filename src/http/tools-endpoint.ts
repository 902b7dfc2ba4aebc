/** `GET /tools`: the tools that the caller may use, for people and scripts without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import { grantOf, type Route } from './context.ts';

/** The route. */
export function createToolsRoute(listTools: (user: UserContext) => Promise<readonly ListedTool[]>): Route {
  return {
    path: '/tools',
    methods: {
      GET: async (ctx) => {
        const tools = await listTools(grantOf(ctx).user);
        ctx.body = {
          tools: tools.map(({ name, title, description, inputSchema }) => ({
            name,
            title,
            description,
            inputSchema,
          })),
        };
      },
    },
  };
}
