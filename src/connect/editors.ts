/** The part of the table with editors and other programs that people work in. */
import type { ConnectClient } from './client.ts';
import { vsCodeCommand } from './commands.ts';
import {
  cline,
  codex,
  copilotCli,
  geminiCli,
  goose,
  openCode,
  plainFile,
  vsCode,
  windsurf,
  zed,
} from './config-files.ts';
import * as links from './links.ts';

const HOLDS_TOKEN = 'Do not commit a file with a token in it.';
const ASKS = 'It asks for the token once and keeps it in its secret storage.';
const PICK_IT = 'Confirm in the window that opens.';

export const EDITORS = {
  cursor: {
    title: 'Cursor',
    where: '~/.cursor/mcp.json, or .cursor/mcp.json in a project',
    form: 'json',
    note: HOLDS_TOKEN,
    oneClick: {
      words: 'Add to Cursor',
      link: links.cursorLink,
      webLink: links.cursorWebLink,
      next: PICK_IT,
    },
    render: plainFile,
  },
  vscode: {
    title: 'VS Code',
    where: '.vscode/mcp.json in a project, or the command "MCP: Open User Configuration"',
    form: 'json',
    note: HOLDS_TOKEN,
    oneClick: {
      words: 'Add to VS Code',
      link: links.vsCodeLink,
      webLink: links.vsCodeWebLink,
      next: ASKS,
    },
    render: vsCode,
  },
  'vscode-insiders': {
    title: 'VS Code Insiders',
    where: '.vscode/mcp.json in a project, or the command "MCP: Open User Configuration"',
    form: 'json',
    note: HOLDS_TOKEN,
    oneClick: {
      words: 'Add to VS Code Insiders',
      link: links.vsCodeInsidersLink,
      webLink: links.vsCodeInsidersWebLink,
      next: ASKS,
    },
    render: vsCode,
  },
  'vscode-cli': {
    title: 'VS Code, from a terminal',
    where: 'a terminal; "code-insiders" for the Insiders edition',
    form: 'shell',
    note: `${ASKS} PowerShell and cmd.exe take the quotes out of it: use the link of vscode there.`,
    render: vsCodeCommand,
  },
  'lm-studio': {
    title: 'LM Studio',
    where: 'mcp.json (Program → Install → Edit mcp.json)',
    form: 'json',
    oneClick: {
      words: 'Add to LM Studio',
      link: links.lmStudioLink,
      webLink: links.lmStudioWebLink,
      next: PICK_IT,
    },
    render: plainFile,
  },
  goose: {
    title: 'Goose',
    where: String.raw`~/.config/goose/config.yaml (Windows: %APPDATA%\Block\goose\config\config.yaml)`,
    form: 'yaml',
    note: 'In a file that has extensions already, add this one to them.',
    oneClick: { words: 'Add to Goose', link: links.gooseLink, next: PICK_IT },
    render: goose,
  },
  codex: {
    title: 'Codex',
    where: '~/.codex/config.toml, or .codex/config.toml in a project',
    form: 'toml',
    note: `${HOLDS_TOKEN} With "bearer_token_env_var" in place of "http_headers" the token comes from a variable of that name.`,
    render: codex,
  },
  'gemini-cli': {
    title: 'Gemini CLI',
    where: '~/.gemini/settings.json, or .gemini/settings.json in a project',
    form: 'json',
    note: HOLDS_TOKEN,
    render: geminiCli,
  },
  windsurf: {
    title: 'Windsurf',
    where: '~/.codeium/windsurf/mcp_config.json',
    form: 'json',
    render: windsurf,
  },
  zed: {
    title: 'Zed',
    where: String.raw`~/.config/zed/settings.json (Windows: %APPDATA%\Zed\settings.json)`,
    form: 'json',
    render: zed,
  },
  cline: {
    title: 'Cline',
    where: 'cline_mcp_settings.json (MCP Servers → Configure → Configure MCP Servers)',
    form: 'json',
    render: cline,
  },
  opencode: {
    title: 'OpenCode',
    where: '~/.config/opencode/opencode.json, or opencode.json in a project',
    form: 'json',
    note: HOLDS_TOKEN,
    render: openCode,
  },
  'copilot-cli': {
    title: 'GitHub Copilot CLI',
    where: '~/.copilot/mcp-config.json',
    form: 'json',
    render: copilotCli,
  },
  kiro: {
    title: 'Kiro',
    where: '~/.kiro/settings/mcp.json, or .kiro/settings/mcp.json in a project',
    form: 'json',
    note: HOLDS_TOKEN,
    render: plainFile,
  },
} as const satisfies Readonly<Record<string, ConnectClient>>;
