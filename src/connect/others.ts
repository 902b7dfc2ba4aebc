/** The part of the table with all other clients: commands for many clients, services, libraries and registries. */
import type { ConnectClient } from './client.ts';
import { NEEDS_INTERNET } from './claude.ts';
import { addMcp, curl, ONE_LINE, inspector, responsesApi } from './commands.ts';
import { chatGpt, serverJson } from './forms.ts';
import { aiSdk, openAiAgents } from './programs.ts';

export const OTHERS = {
  'add-mcp': {
    title: 'Many clients at once, with add-mcp',
    where: 'a terminal; -a NAME, as often as you like, names the clients that are meant',
    form: 'shell',
    note: `It needs Node.js for npx. ${ONE_LINE}`,
    render: addMcp,
  },
  chatgpt: {
    title: 'ChatGPT',
    where: 'Settings → Apps & Connectors → Advanced settings → Developer mode, then Create',
    form: 'fields',
    note: `${NEEDS_INTERNET} Some accounts have no field for a token there.`,
    runsOn: ['phone', 'windows', 'macos', 'linux'],
    render: chatGpt,
  },
  inspector: {
    title: 'MCP Inspector',
    where: 'a terminal',
    form: 'shell',
    note: `It needs Node.js 22.19 or newer. ${ONE_LINE}`,
    render: inspector,
  },
  'openai-agents': {
    title: 'OpenAI Agents SDK',
    where: 'a file such as agent.mjs, after "npm install @openai/agents zod"; OPENAI_API_KEY must be set',
    form: 'javascript',
    render: openAiAgents,
  },
  'openai-responses': {
    title: 'OpenAI Responses API',
    where: 'a terminal; OPENAI_API_KEY must be set',
    form: 'shell',
    note: `${NEEDS_INTERNET} On Windows, type it in Git Bash or WSL.`,
    render: responsesApi,
  },
  'ai-sdk': {
    title: 'Vercel AI SDK',
    where: 'a file such as tools.mjs, after "npm install @ai-sdk/mcp zod"',
    form: 'javascript',
    render: aiSdk,
  },
  curl: {
    title: 'curl',
    where: 'a terminal',
    form: 'shell',
    note: 'PowerShell wants curl.exe, and takes the quotes out of JSON: there the first command is enough.',
    render: curl,
  },
  'server-json': {
    title: 'A registry of MCP servers',
    where: 'server.json, for mcp-publisher or a registry of your own',
    form: 'json',
    note: 'It holds no token. Change the version with each version that you publish.',
    render: serverJson,
  },
} as const satisfies Readonly<Record<string, ConnectClient>>;
