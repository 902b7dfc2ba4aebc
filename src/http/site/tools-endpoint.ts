/** `GET /tools`: the tools that the caller may use, and the caller's user, for people and scripts without an MCP client. */
import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import type { UserContext } from '../../auth/user.ts';
import { grantOf, type RequestContext, type Route } from '../context.ts';
import { JSON_HEADERS_WITH_CHARSET, writeAnswer } from '../direct-answer.ts';

/** Makes the route. `scopes` are the scopes that tools need, by tool name: `/tools?scopes` shows them, which MCP's own list cannot do. */
export function createToolsRoute(
  listTools: (user: UserContext) => readonly ListedTool[] | Promise<readonly ListedTool[]>,
  scopes: ReadonlyMap<string, string>,
): Route {
  const spellPlain = createSpeller(() => ({}));
  const spellWithScopes = createSpeller((name) => (scopes.has(name) ? { scope: scopes.get(name) } : {}));
  const answer = (ctx: RequestContext, { userId, name }: UserContext, tools: readonly ListedTool[]): void => {
    const spell = ctx.querystring === 'scopes' ? spellWithScopes : spellPlain;
    const who = JSON.stringify({ userId, name });
    writeAnswer(ctx, 200, {
      text: `{"tools":${spell(tools)},"user":${who}}`,
      headers: JSON_HEADERS_WITH_CHARSET,
    });
  };
  const list = (ctx: RequestContext): void | Promise<void> => {
    const { user } = grantOf(ctx);
    const tools = listTools(user);
    return tools instanceof Promise
      ? tools.then((found) => answer(ctx, user, found))
      : answer(ctx, user, tools);
  };
  return { path: '/tools', answersItself: true, methods: { GET: list, HEAD: list } };
}

/** Makes a function that serializes each list once: the list is long, and users who may call every tool share the same one. */
function createSpeller(besides: (name: string) => object): (tools: readonly ListedTool[]) => string {
  const texts = new WeakMap<readonly ListedTool[], string>();
  return (tools) => {
    const known = texts.get(tools);
    if (known !== undefined) return known;
    const shown = tools.map(({ name, title, description, inputSchema }) => ({
      name,
      title,
      description,
      inputSchema,
      ...besides(name),
    }));
    const text = JSON.stringify(shown);
    texts.set(tools, text);
    return text;
  };
}
