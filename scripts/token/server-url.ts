/** The option `--url`: where clients reach the server. */
import { PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * The address of a server as PUBLIC_URL has it, with the path that a proxy has put it under; that of an endpoint may be at its end.
 * @throws {CommandError} when it is something else
 */
export function parseServerUrl(text: string): string {
  const parsed = PUBLIC_ADDRESS.safeParse(text.replace(/(\/(mcp|sse))?\/?$/, ''));
  if (parsed.success) return parsed.data;
  throw new CommandError(
    EXIT.usage,
    '--url must be the address of the server, such as https://my-app.example or https://my-app.example/mcp-app.',
  );
}
