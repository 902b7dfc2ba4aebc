/** The one table of client configurations: what the connect command, the start messages and the page show. */
import { claudeCode, curl, inspector, responsesApi } from './commands.ts';
import { claudeConnector, claudeDesktop, claudeDesktopStdio, cursor, vsCode } from './config-files.ts';
import { aiSdk, openAiAgents } from './programs.ts';
import { type ConnectTarget, mcpUrlOf } from './target.ts';

/** How a configuration is written. */
export type ConfigurationForm = 'json' | 'shell' | 'javascript' | 'fields';

/** A client and how it is configured. */
export interface ConnectClient {
  readonly title: string;
  /** Where the configuration goes. */
  readonly where: string;
  readonly form: ConfigurationForm;
  /** What else there is to know. */
  readonly note?: string;
  readonly render: (target: ConnectTarget) => string;
}

/** A client's configuration for one server. */
export interface Configuration extends Omit<ConnectClient, 'render'> {
  readonly id: ClientId;
  readonly text: string;
}

const DESKTOP_FILE = [
  'claude_desktop_config.json (Settings → Developer → Edit Config; macOS: ~/Library/Application Support/Claude,',
  String.raw`Windows: %APPDATA%\Claude)`,
].join(' ');
const NEEDS_INTERNET = 'The server must be reachable from the internet by HTTPS.';

const CLIENTS = {
  'sign-in': {
    title: 'Claude, ChatGPT and others that sign in',
    where:
      "the client's field for the address of a remote server (Claude: Settings → Connectors → Add custom connector)",
    form: 'fields',
    note: 'Where signing in is on, the address is all: the client opens a page on which its user signs in. Claude on the web and ChatGPT reach only servers that the internet reaches.',
    render: mcpUrlOf,
  },
  'claude-desktop': {
    title: 'Claude Desktop, through mcp-remote',
    where: DESKTOP_FILE,
    form: 'json',
    note: 'Restart Claude Desktop afterwards. It needs Node.js for npx.',
    render: claudeDesktop,
  },
  'claude-desktop-stdio': {
    title: 'Claude Desktop, over stdio',
    where: DESKTOP_FILE,
    form: 'json',
    note: 'Run "npm run build" first. It starts a server of its own on this machine, without a network.',
    render: claudeDesktopStdio,
  },
  'claude-code': {
    title: 'Claude Code',
    where: 'a terminal; it is kept in ~/.claude.json',
    form: 'shell',
    render: claudeCode,
  },
  'claude-connector': {
    title: 'Claude, custom connector',
    where: 'Settings → Connectors → Add custom connector (organizations: Organization settings → Connectors)',
    form: 'fields',
    note: `${NEEDS_INTERNET} Where the dialog has no "Request headers", your plan does not have them yet: use claude-desktop.`,
    render: claudeConnector,
  },
  cursor: {
    title: 'Cursor',
    where: '~/.cursor/mcp.json, or .cursor/mcp.json in a project',
    form: 'json',
    note: 'Do not commit a file with a token in it.',
    render: cursor,
  },
  vscode: {
    title: 'VS Code',
    where: '.vscode/mcp.json in a project, or the command "MCP: Open User Configuration"',
    form: 'json',
    note: 'Do not commit a file with a token in it.',
    render: vsCode,
  },
  inspector: {
    title: 'MCP Inspector',
    where: 'a terminal',
    form: 'shell',
    note: 'It needs Node.js 22.19 or newer.',
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
    note: NEEDS_INTERNET,
    render: responsesApi,
  },
  'ai-sdk': {
    title: 'Vercel AI SDK',
    where: 'a file such as tools.mjs, after "npm install @ai-sdk/mcp zod"',
    form: 'javascript',
    render: aiSdk,
  },
  curl: { title: 'curl', where: 'a terminal', form: 'shell', render: curl },
} as const satisfies Readonly<Record<string, ConnectClient>>;

/** The name of a client. */
export type ClientId = keyof typeof CLIENTS;

/** Every client, in the order in which they are shown. */
// oxlint-disable-next-line no-unsafe-type-assertion -- the keys of a literal, which TypeScript widens to string
export const CLIENT_IDS = Object.keys(CLIENTS) as readonly ClientId[];

/** Those that fit a server, best first: the bare address, where users can sign in, and not at all where they cannot. */
export function clientIdsFor({ canSignIn }: { readonly canSignIn: boolean }): readonly ClientId[] {
  return canSignIn ? CLIENT_IDS : CLIENT_IDS.filter((id) => id !== 'sign-in');
}

/** The configuration of one client. */
export function renderClient(id: ClientId, target: ConnectTarget): Configuration {
  const { render, ...client }: ConnectClient = CLIENTS[id];
  return { id, ...client, text: render(target) };
}

/** Whether there is a client of this name. */
export function isClientId(name: string): name is ClientId {
  return Object.hasOwn(CLIENTS, name);
}
