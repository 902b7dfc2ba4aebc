/** `GET /tools`: the tools that the caller may use, and who that is, for people and scripts without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../../auth/user.ts';
import { grantOf, type RequestContext, type Route } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';

/** The route. */
export function createToolsRoute(listTools: (user: UserContext) => Promise<readonly ListedTool[]>): Route {
  /** Each list as JSON: it is the same one for everybody who may call everything, and long beside who asks. */
  const texts = new WeakMap<readonly ListedTool[], string>();
  const list = async (ctx: RequestContext): Promise<void> => {
    const { user } = grantOf(ctx);
    const tools = await listTools(user);
    let text = texts.get(tools);
    if (text === undefined) texts.set(tools, (text = spell(tools)));
    const who = JSON.stringify({ userId: user.userId, name: user.name });
    writeAnswer(ctx, 200, { text: `{"tools":${text},"user":${who}}`, headers: HEADERS });
  };
  return { path: '/tools', answersItself: true, methods: { GET: list, HEAD: list } };
}

const HEADERS = ['Content-Type', 'application/json; charset=utf-8'];

/** What is shown of the tools, as JSON. */
function spell(tools: readonly ListedTool[]): string {
  const shown = tools.map(({ name, title, description, inputSchema }) => ({
    name,
    title,
    description,
    inputSchema,
  }));
  return JSON.stringify(shown);
}
