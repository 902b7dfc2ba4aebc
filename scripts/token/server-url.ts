/** The option `--url`: where clients reach the server. */
import { OWN_PATH, PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * The address of a server as PUBLIC_URL has it, with the path that a proxy has put it under; that of an endpoint may be at its end.
 * @throws {CommandError} when it is something else
 */
export function parseServerUrl(text: string): string {
  const parsed = PUBLIC_ADDRESS.safeParse(withoutEndpoint(text));
  if (parsed.success) return parsed.data;
  throw new CommandError(
    EXIT.usage,
    `--url ${objectionTo(text) ?? 'must be the address of the server, such as https://my-app.example or https://my-app.example/mcp-app'}.`,
  );
}

/** What of a text keeps it from being a server's address, where it is one otherwise. */
export function objectionTo(text: string): string | undefined {
  const url = /^https?:\/\/[^/@]+/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return undefined;
  if (/[?#]/.test(text)) return 'must be the address alone: leave out what begins with ? or #';
  if (OWN_PATH.test(withoutEndpoint(url.pathname)))
    return 'must not have a path that a server uses itself, such as /tools: leave that out';
  return /[^\w/.~-]/.test(url.pathname)
    ? 'must have a path of letters from a to z, digits, _, -, . and ~ alone'
    : undefined;
}

/** An address or a path without that of an endpoint at its end. */
function withoutEndpoint(text: string): string {
  return text.replace(/(\/(mcp|sse))?\/?$/, '');
}
