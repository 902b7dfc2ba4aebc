/** The option `--url`: where clients reach the server. */
import { CommandError, EXIT } from './command-error.ts';

/**
 * The origin of a server's address; the paths of its two endpoints may be there.
 * @throws {CommandError} when it is something else
 */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && /^\/(mcp|sse)?\/?$/.test(url.pathname);
  if (!isPlain || /[?#@]/.test(text))
    throw new CommandError(
      EXIT.usage,
      '--url must be the address of the server, such as https://my-app.example, without a path.',
    );
  return url.origin;
}
