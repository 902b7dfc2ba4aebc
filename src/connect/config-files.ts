/** Clients that are configured by a JSON file. */
import { bearerOf, type ConnectTarget, isLoopback, mcpUrlOf, toJson } from './target.ts';

/**
 * Claude Desktop through mcp-remote. No argument holds a space: Claude Desktop on Windows breaks arguments there. The token
 * stands in `env`, so that it is not in the process list.
 */
export function claudeDesktop(target: ConnectTarget): string {
  const url = mcpUrlOf(target);
  // mcp-remote refuses plain HTTP to anything but this machine unless it is told that this is meant.
  const insecure = url.startsWith('http:') && !isLoopback(target) ? ['--allow-http'] : [];
  const server = {
    command: 'npx',
    args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${AUTH_HEADER}', ...insecure],
    env: { AUTH_HEADER: bearerOf(target) },
  };
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

/** Cursor: an entry with `url` is a remote server. */
export function cursor(target: ConnectTarget): string {
  const server = { url: mcpUrlOf(target), headers: { Authorization: bearerOf(target) } };
  return toJson({ mcpServers: { [target.name]: server } });
}

/** VS Code: without a token it asks for one and keeps it in its secret storage. */
export function vsCode(target: ConnectTarget): string {
  const id = `${target.name}-token`;
  const token = target.token ?? `\${input:${id}}`;
  const server = {
    type: 'http',
    url: mcpUrlOf(target),
    headers: { Authorization: bearerOf({ ...target, token }) },
  };
  const input = { type: 'promptString', id, description: `Token for ${target.name}`, password: true };
  return toJson({
    ...(target.token === undefined && { inputs: [input] }),
    servers: { [target.name]: server },
  });
}

/** The fields of Claude's form; its header names come from a fixed list, on which Authorization is. */
export function claudeConnector(target: ConnectTarget): string {
  return [
    `Name:                   ${target.name}`,
    `Remote MCP server URL:  ${mcpUrlOf(target)}`,
    'Request headers:',
    '  Header name:          Authorization',
    `  Value:                ${bearerOf(target)}`,
  ].join('\n');
}
