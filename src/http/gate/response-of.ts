/** Finds the response that is to be sent on a connection. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The response that is being or to be sent on a connection; undefined between two requests. */
export function responseOf(socket: Socket): ServerResponse | undefined {
  // Node's own code uses this property; its types leave it out.
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return response ?? undefined;
}
