/** Clients that are configured in a form, and the entry for registries. */
import { bearerOf, type ConnectTarget, mcpUrlOf, TOKEN_PLACEHOLDER, toJson } from './target.ts';

/** The fields of Claude's form. Header names come from a fixed list there, which contains Authorization. */
export function claudeConnector(target: ConnectTarget): string {
  const name = `Name:                   ${target.name}`;
  const url = `Remote MCP server URL:  ${mcpUrlOf(target)}`;
  if (target.withoutHeader === true) return [name, url].join('\n');
  const header = ['  Header name:          Authorization', `  Value:                ${bearerOf(target)}`];
  return [name, url, 'Request headers:', ...header].join('\n');
}

/** The fields of ChatGPT's form, which adds the word Bearer itself. */
export function chatGpt({ token = TOKEN_PLACEHOLDER, ...target }: ConnectTarget): string {
  const name = `Name:            ${target.name}`;
  const url = `MCP Server URL:  ${mcpUrlOf(target)}`;
  return target.withoutHeader === true
    ? [name, url, 'Authentication:  No authentication'].join('\n')
    : [name, url, 'Authentication:  Access token', `Access token:    ${token}`].join('\n');
}

/** The schema of server.json. */
const SERVER_SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json';

/** The entry for a registry of MCP servers. It never contains a token, as everybody can read it. */
export function serverJson(target: ConnectTarget): string {
  const header = {
    name: 'Authorization',
    description: 'The word Bearer, a space, and your token',
    isRequired: true,
    isSecret: true,
  };
  const remote = {
    type: 'streamable-http',
    url: mcpUrlOf(target),
    ...(target.withoutHeader !== true && { headers: [header] }),
  };
  return toJson({
    $schema: SERVER_SCHEMA,
    name: `${reverseDomain(target)}/${target.name}`,
    description: `The MCP server at ${target.origin}`.slice(0, 100),
    version: target.version ?? '0.1.0',
    remotes: [remote],
  });
}

/** Reverses a domain, `my-app.example` → `example.my-app`: the owner of the domain owns the name. */
function reverseDomain({ origin }: ConnectTarget): string {
  return new URL(origin).hostname
    .replaceAll(/[^\w.-]/g, '')
    .split('.')
    .toReversed()
    .join('.');
}
