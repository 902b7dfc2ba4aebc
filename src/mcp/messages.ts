/** Tells the kinds of JSON-RPC messages apart, once they are known to be messages. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';

/** A JSON-RPC request id, or a progress token, which has the same form. */
export type RequestId = string | number;

/** Where the answer to one request goes. */
export interface Reply {
  /** Takes the answer as JSON, or hears that none will come: the request has been cancelled. */
  settle(json?: string): void;
  /** Hears that none will come because the session has ended. */
  abandon(id: RequestId): void;
  /** Where what belongs to the request goes before the answer; undefined where the client takes nothing. */
  stream(): MessageStream | undefined;
}

/** Takes messages one after the other. */
export interface MessageStream {
  send(message: object): void;
}

/** What a session's connection does for its server. */
export interface Channel {
  /** Sends what belongs to no request. Rejects where a request of the server's own has no way to the client. */
  send(message: JSONRPCMessage): Promise<void>;
  /** Hears that a request has been answered, or never will be. */
  onSettled(): void;
}

/** The refusal of a request of the server's own that could not be answered: whoever sent it must not wait. */
export function noStreamForRequest(): Error {
  return new Error('The client has no stream open that could take a request.');
}

/** Whether a message is a request, which wants an answer. */
export function isRequest(message: JSONRPCMessage): message is JSONRPCRequest {
  return 'method' in message && 'id' in message;
}

/** Whether a message answers a request of the other side. */
export function isResponse(message: JSONRPCMessage): message is Extract<JSONRPCMessage, { id?: unknown }> {
  return !('method' in message);
}

/** The id of the request that a message cancels, if it does that. */
export function cancelledIdOf(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const id = message.params?.['requestId'];
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
