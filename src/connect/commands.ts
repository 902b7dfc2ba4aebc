/** Clients that are configured or run by a command. */
import { vsCodeEntry } from './config-files.ts';
import {
  bearerOf,
  type ConnectTarget,
  headersOf,
  mcpUrlOf,
  quoteForShell,
  TOKEN_PLACEHOLDER,
} from './target.ts';

/** The note for commands over several lines. */
export const ONE_LINE = 'In PowerShell and cmd.exe it is one line, without the backslash.';

/** Claude Code. `--header` takes all arguments after it, so it comes last. */
export function claudeCode(target: ConnectTarget): string {
  return inLines([
    `claude mcp add --transport http --scope user ${target.name} ${mcpUrlOf(target)}`,
    ...header(target),
  ]);
}

/** Claude Code, with the entry as JSON, in which the order of options does not matter. */
export function claudeCodeJson(target: ConnectTarget): string {
  const entry = { type: 'http', url: mcpUrlOf(target), ...headersOf(target) };
  return `claude mcp add-json --scope user ${target.name} ${quoteForShell(JSON.stringify(entry))}`;
}

/** VS Code's command line. VS Code asks for the token, so that the shell's history does not contain it. */
export function vsCodeCommand(target: ConnectTarget): string {
  return `code --add-mcp ${quoteForShell(JSON.stringify(vsCodeEntry(target)))}`;
}

/** add-mcp, which writes the files of some twenty clients; `-a` selects clients. */
export function addMcp(target: ConnectTarget): string {
  return inLines([`npx -y add-mcp ${mcpUrlOf(target)} --name ${target.name}`, ...header(target), '-g -y']);
}

/** The MCP Inspector on the command line. */
export function inspector(target: ConnectTarget): string {
  return inLines([
    `npx -y @modelcontextprotocol/inspector --cli ${mcpUrlOf(target)} --transport http`,
    [...header(target), '--method tools/list'].join(' '),
  ]);
}

/** curl: the list for people and scripts, then the list by the stateless revision of MCP. It calls no tool, as a fork decides which there are. */
export function curl(target: ConnectTarget): string {
  const version = '2026-07-28';
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/list',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': version,
        'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  const credential = target.withoutHeader === true ? '' : ` -H ${authorization(target)}`;
  const list = `curl ${target.origin}/tools${credential}`;
  const listOverMcp = inLines([
    `curl ${mcpUrlOf(target)}${credential}`,
    '-H "Content-Type: application/json" -H "Accept: application/json, text/event-stream"',
    `-H "MCP-Protocol-Version: ${version}" -H "Mcp-Method: tools/list"`,
    `-d ${quoteForShell(JSON.stringify(message))}`,
  ]);
  return `${list}\n\n${listOverMcp}`;
}

/** OpenAI's Responses API, with which OpenAI connects to the server; `authorization` is the token without "Bearer". */
export function responsesApi(target: ConnectTarget): string {
  const body = {
    model: 'gpt-5.5',
    input: 'What can you do here? Say what each tool is for.',
    tools: [
      {
        type: 'mcp',
        server_label: target.name,
        server_url: mcpUrlOf(target),
        ...(target.withoutHeader !== true && { authorization: target.token ?? TOKEN_PLACEHOLDER }),
        require_approval: 'never',
      },
    ],
  };
  return inLines([
    'curl https://api.openai.com/v1/responses -H "Authorization: Bearer $OPENAI_API_KEY"',
    '-H "Content-Type: application/json"',
    `-d ${quoteForShell(JSON.stringify(body, null, 2))}`,
  ]);
}

/** The option `--header`, if the client sends a credential. */
function header(target: ConnectTarget): string[] {
  return target.withoutHeader === true ? [] : [`--header ${authorization(target)}`];
}

/** The header as one argument. */
function authorization(target: ConnectTarget): string {
  return quoteForShell(`Authorization: ${bearerOf(target)}`);
}

/** One command over several lines. */
function inLines(parts: readonly string[]): string {
  return parts.join(' \\\n  ');
}
