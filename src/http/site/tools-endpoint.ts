/** `GET /tools`: the tools that the caller may use, for people and scripts without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../../auth/user.ts';
import { grantOf, type RequestContext, type Route } from '../context.ts';

/** The route. */
export function createToolsRoute(listTools: (user: UserContext) => Promise<readonly ListedTool[]>): Route {
  /** The answer for each list, which is the same one for everybody who may call everything. */
  const texts = new WeakMap<readonly ListedTool[], string>();
  const list = async (ctx: RequestContext): Promise<void> => {
    const tools = await listTools(grantOf(ctx).user);
    let text = texts.get(tools);
    if (text === undefined) texts.set(tools, (text = spell(tools)));
    ctx.type = 'json';
    ctx.body = text;
  };
  return { path: '/tools', methods: { GET: list, HEAD: list } };
}

/** What is shown of the tools, as JSON. */
function spell(tools: readonly ListedTool[]): string {
  const shown = tools.map(({ name, title, description, inputSchema }) => ({
    name,
    title,
    description,
    inputSchema,
  }));
  return JSON.stringify({ tools: shown });
}
