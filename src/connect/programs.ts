/** Clients that are libraries: a program to start from. */
import { bearerOf, type ConnectTarget, mcpUrlOf } from './target.ts';

/** The OpenAI Agents SDK. */
export function openAiAgents(target: ConnectTarget): string {
  return `import { Agent, MCPServerStreamableHttp, run } from '@openai/agents';

const server = new MCPServerStreamableHttp({
  name: ${quote(target.name)},
  url: ${quote(mcpUrlOf(target))},${header(target, (headers) => `\n  requestInit: { ${headers} },`)}
});
await server.connect();
try {
  const agent = new Agent({ name: 'Assistant', mcpServers: [server] });
  const result = await run(agent, 'What can you do here? Say what each tool is for.');
  console.log(result.finalOutput);
} finally {
  await server.close();
}`;
}

/** The MCP client of the Vercel AI SDK; what it returns goes into `tools` of generateText. */
export function aiSdk(target: ConnectTarget): string {
  return `import { createMCPClient } from '@ai-sdk/mcp';

const client = await createMCPClient({
  transport: {
    type: 'http',
    url: ${quote(mcpUrlOf(target))},${header(target, (headers) => `\n    ${headers},`)}
  },
});
try {
  const tools = await client.tools();
  console.log(Object.keys(tools));
} finally {
  await client.close();
}`;
}

/** The headers in their place, if the client sends a credential; else nothing. */
function header(target: ConnectTarget, place: (headers: string) => string): string {
  return target.withoutHeader === true ? '' : place(`headers: { Authorization: ${quote(bearerOf(target))} }`);
}

/** A string of JavaScript, in single quotes unless something in it needs escaping. */
function quote(text: string): string {
  const json = JSON.stringify(text);
  return /['\\]/.test(json) ? json : `'${json.slice(1, -1)}'`;
}
