/** The option `--url`: where clients reach the server. */
import { OWN_PATH, PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * Parses the address of a server as PUBLIC_URL has it, with the path that a proxy puts it under. An endpoint's path at the end is dropped.
 * @throws {CommandError} when it is no such address
 */
export function parseServerUrl(text: string): string {
  const parsed = PUBLIC_ADDRESS.safeParse(withoutEndpoint(text));
  if (parsed.success) return parsed.data;
  throw new CommandError(
    EXIT.usage,
    `--url ${objectionTo(text) ?? 'must be the address of the server, such as https://my-app.example or https://my-app.example/mcp-app'}.`,
  );
}

/** What is wrong with an address that is otherwise one of a server; undefined when it is no address at all, or nothing is wrong. */
export function objectionTo(text: string): string | undefined {
  const url = /^https?:\/\/[^/@]+/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return undefined;
  if (/[?#]/.test(text)) return 'must be the address alone: remove the part that begins with ? or #';
  if (OWN_PATH.test(withoutEndpoint(url.pathname)))
    return 'must not have a path of the server itself, such as /tools: remove that';
  return /[^\w/.~-]/.test(url.pathname)
    ? 'must have a path of letters from a to z, digits, _, -, . and ~ alone'
    : undefined;
}

/** Removes an endpoint's path from the end of an address or a path. */
function withoutEndpoint(text: string): string {
  return text.replace(/(\/(mcp|sse))?\/?$/, '');
}
