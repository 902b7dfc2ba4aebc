/** From a connection to the response that it is to bring. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The response that a connection is to bring or brings; undefined between two requests. */
export function responseOf(socket: Socket): ServerResponse | undefined {
  // Where Node's own handling looks; its types leave it out.
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return response ?? undefined;
}
