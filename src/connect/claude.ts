/** The part of the table with Anthropic's clients. */
import { claudeDesktopBundle } from './bundle-client.ts';
import type { ConnectClient } from './client.ts';
import { claudeCode, claudeCodeJson, ONE_LINE } from './commands.ts';
import { claudeDesktop, claudeDesktopStdio, projectFile, TOKEN_VARIABLE } from './config-files.ts';
import { claudeConnector } from './forms.ts';
import { claudeConnectorLink } from './links.ts';

const DESKTOP_FILE = [
  'claude_desktop_config.json (Settings → Developer → Edit Config; macOS: ~/Library/Application Support/Claude,',
  String.raw`Windows: %APPDATA%\Claude)`,
].join(' ');

/** The note for clients that connect from their maker's servers. */
export const NEEDS_INTERNET = 'The server must be reachable from the internet by HTTPS.';

export const CLAUDE = {
  'claude-desktop-bundle': claudeDesktopBundle,
  'claude-desktop': {
    title: 'Claude Desktop, through mcp-remote',
    where: DESKTOP_FILE,
    form: 'json',
    note: 'Restart Claude Desktop afterwards. It needs Node.js for npx.',
    runsOn: ['windows', 'macos'],
    render: claudeDesktop,
  },
  'claude-desktop-stdio': {
    title: 'Claude Desktop, over stdio',
    where: DESKTOP_FILE,
    form: 'json',
    note: 'Run "npm run build" first. It starts a server of its own on this machine, without a network.',
    runsOn: ['windows', 'macos'],
    render: claudeDesktopStdio,
  },
  'claude-code': {
    title: 'Claude Code',
    where: 'a terminal; it is kept in ~/.claude.json',
    form: 'shell',
    note: ONE_LINE,
    render: claudeCode,
  },
  'claude-code-json': {
    title: 'Claude Code, as JSON',
    where: 'a terminal; it is kept in ~/.claude.json',
    form: 'shell',
    note: 'PowerShell and cmd.exe take the quotes out of it: use claude-code there.',
    render: claudeCodeJson,
  },
  'mcp-json': {
    title: 'Claude Code, for everybody who works on a project',
    where: '.mcp.json in the project, to be checked in',
    form: 'json',
    note: `Nobody’s token stands in it: each sets the variable ${TOKEN_VARIABLE} to their own.`,
    render: projectFile,
  },
  'claude-connector': {
    title: 'Claude, custom connector',
    where: 'Settings → Connectors → Add custom connector (organizations: Organization settings → Connectors)',
    form: 'fields',
    note: `${NEEDS_INTERNET} Where the dialog has no "Request headers", your plan does not have them yet: use claude-desktop.`,
    runsOn: ['phone', 'windows', 'macos', 'linux'],
    oneClick: {
      words: 'Add to Claude',
      link: claudeConnectorLink,
      next: 'The dialog has name and address filled in. Under "Request headers" add Authorization, with Bearer and your token for its value.',
    },
    render: claudeConnector,
  },
} as const satisfies Readonly<Record<string, ConnectClient>>;
