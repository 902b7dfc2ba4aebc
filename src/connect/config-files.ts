/** Clients that are configured by a file. */
import { bearerOf, type ConnectTarget, headersOf, isLoopback, mcpUrlOf, toJson } from './target.ts';

/**
 * Claude Desktop through mcp-remote. No argument contains a space, at which Claude Desktop on Windows would split it. The token is in `env`,
 * so that the process list does not show it.
 */
export function claudeDesktop(target: ConnectTarget): string {
  const url = mcpUrlOf(target);
  // mcp-remote refuses plain HTTP to any machine but its own, without this option.
  const insecure = url.startsWith('http:') && !isLoopback(target) ? ['--allow-http'] : [];
  const isBare = target.withoutHeader === true;
  const header = isBare ? [] : ['--header', 'Authorization:${AUTH_HEADER}'];
  const args = ['-y', 'mcp-remote', url, ...header, ...insecure];
  const server = { command: 'npx', args, ...(!isBare && { env: { AUTH_HEADER: bearerOf(target) } }) };
  return toJson({ mcpServers: { [target.name]: server } });
}

/** Claude Desktop starts the stdio server itself; with a token, the server runs as its user. */
export function claudeDesktopStdio({ name, token, stdio }: ConnectTarget): string {
  const { entry, tokensFile } = stdio ?? {
    entry: '/path/to/this/folder/dist/src/stdio.js',
    tokensFile: '/path/to/this/folder/tokens.json',
  };
  const env = token && { env: { AUTH_ENABLED: 'true', MCP_TOKEN: token, TOKENS_FILE: tokensFile } };
  return toJson({ mcpServers: { [name]: { command: 'node', args: [entry], ...env } } });
}

/** Cursor, LM Studio and Kiro: an entry with `url` is a remote server. */
export function plainEntry(target: ConnectTarget): object {
  return { url: mcpUrlOf(target), ...headersOf(target) };
}

/** The file of Cursor, LM Studio and Kiro. */
export function plainFile(target: ConnectTarget): string {
  return toJson({ mcpServers: { [target.name]: plainEntry(target) } });
}

/** VS Code: without a token it asks for one and keeps it in its secret storage. */
export function vsCode(target: ConnectTarget): string {
  const id = `${target.name}-token`;
  const token = target.token ?? `\${input:${id}}`;
  const server = { type: 'http', url: mcpUrlOf(target), ...headersOf({ ...target, token }) };
  const asks = target.token === undefined && target.withoutHeader !== true;
  return toJson({
    ...(asks && { inputs: [passwordInput(id, target.name)] }),
    servers: { [target.name]: server },
  });
}

/** The entry of VS Code's links and command: it has an input of its own, so that it contains no token. */
export function vsCodeEntry({ token: _never, ...target }: ConnectTarget): object {
  const { name } = target;
  const server = { name, type: 'http', url: mcpUrlOf(target) };
  if (target.withoutHeader === true) return server;
  return {
    ...server,
    ...headersOf({ ...target, token: '${input:token}' }),
    inputs: [passwordInput('token', name)],
  };
}

/** An input of VS Code that is typed hidden. */
function passwordInput(id: string, name: string): object {
  return { type: 'promptString', id, description: `Token for ${name}`, password: true };
}

/** A file of Claude Code that is checked in: each user's token comes from the environment. */
export function projectFile(target: ConnectTarget): string {
  const server = {
    type: 'http',
    url: mcpUrlOf(target),
    ...headersOf({ ...target, token: `\${${TOKEN_VARIABLE}}` }),
  };
  return toJson({ mcpServers: { [target.name]: server } });
}

/** The environment variable of a user's token in a shared configuration. */
export const TOKEN_VARIABLE = 'MCP_SERVER_TOKEN';

/** Gemini CLI: with `url` alone it would speak HTTP+SSE. */
export function geminiCli(target: ConnectTarget): string {
  return toJson({ mcpServers: { [target.name]: { httpUrl: mcpUrlOf(target), ...headersOf(target) } } });
}

/** Windsurf, which has another property for the URL. */
export function windsurf(target: ConnectTarget): string {
  return toJson({ mcpServers: { [target.name]: { serverUrl: mcpUrlOf(target), ...headersOf(target) } } });
}

/** Cline: without the type it would take HTTP+SSE. */
export function cline(target: ConnectTarget): string {
  const server = { url: mcpUrlOf(target), type: 'streamableHttp', disabled: false, ...headersOf(target) };
  return toJson({ mcpServers: { [target.name]: server } });
}

/** GitHub's Copilot CLI: the entry also says which tools it may use. */
export function copilotCli(target: ConnectTarget): string {
  const server = { type: 'http', url: mcpUrlOf(target), tools: ['*'], ...headersOf(target) };
  return toJson({ mcpServers: { [target.name]: server } });
}

/** Zed. */
export function zed(target: ConnectTarget): string {
  const server = { source: 'custom', type: 'http', url: mcpUrlOf(target), ...headersOf(target) };
  return toJson({ context_servers: { [target.name]: server } });
}

/** OpenCode. */
export function openCode(target: ConnectTarget): string {
  const server = { type: 'remote', url: mcpUrlOf(target), ...headersOf(target), enabled: true };
  return toJson({ mcp: { [target.name]: server } });
}

/** Codex, the only client with TOML. For the characters that can occur here, a JSON string is a basic string of TOML. */
export function codex(target: ConnectTarget): string {
  const key = /^[\w-]+$/.test(target.name) ? target.name : JSON.stringify(target.name);
  const { headers } = headersOf(target);
  return [
    `[mcp_servers.${key}]`,
    `url = ${JSON.stringify(mcpUrlOf(target))}`,
    ...(headers ? [`http_headers = { "Authorization" = ${JSON.stringify(headers.Authorization)} }`] : []),
  ].join('\n');
}

/** Goose: YAML, in which a JSON string is a valid string. */
export function goose(target: ConnectTarget): string {
  const { headers } = headersOf(target);
  const name = JSON.stringify(target.name);
  return [
    'extensions:',
    `  ${name}:`,
    `    name: ${name}`,
    "    description: ''",
    '    type: streamable_http',
    `    uri: ${JSON.stringify(mcpUrlOf(target))}`,
    ...(headers ? ['    headers:', `      Authorization: ${JSON.stringify(headers.Authorization)}`] : []),
    '    enabled: true',
    '    timeout: 300',
  ].join('\n');
}
