/** JSON-RPC messages as sessions handle them: their kinds, where they go, and the errors for requests that get no answer. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';

/** A JSON-RPC request id, or a progress token, which has the same form. */
export type RequestId = string | number;

/** Where the answer to one request goes. */
export interface Reply {
  /** Takes the answer as JSON; without one, no answer will come, because the request was cancelled. */
  settle(json?: string): void;
  /** Tells the client that no result will come, and why. */
  abandon(id: RequestId, reason: AbandonReason): void;
  /** The stream for messages that belong to the request and come before the answer; undefined if the client accepts none. */
  stream(): MessageStream | undefined;
  /** Whether the client comes back when its response ends without the answer. */
  readonly canPause?: boolean;
  /** Ends the response; the client is to come back after so many milliseconds. False if it would not come back. */
  pause?(comeBackAfterMs: number): boolean;
}

/** Why a request is given up although its client still waits for it. */
export type AbandonReason = 'session_ended' | 'revoked';

/** Why a client that comes back for an answer gets an error: the answer is not kept, or not for this caller. */
export type LossReason = 'answer_lost' | 'insufficient_scope';

/** Serializes the error of a request that is given up. It is sent as JSON and as an event: both must stay the same. */
export function spellAbandonment(id: RequestId | null, reason: AbandonReason | LossReason): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: ABANDONMENTS[reason] });
}

const ABANDONMENTS: Readonly<Record<AbandonReason | LossReason, object>> = {
  session_ended: { code: -32_001, message: 'The session has ended.', data: { error: 'session_ended' } },
  revoked: {
    code: -32_001,
    // The token may be one that the client refreshes by itself, or one that has been removed for good.
    message:
      'The token that this request came with is no longer valid. The request may have done its work: send it again if that is safe. If the token is then refused, sign in again or ask for a new one.',
    data: { error: 'invalid_token' },
  },
  answer_lost: {
    code: -32_001,
    message:
      'The stream of this request broke, and its messages are no longer kept. The request may have done its work: send it again if that is safe.',
    data: { error: 'answer_lost' },
  },
  insufficient_scope: {
    code: -32_001,
    message: 'The token lacks a scope that this request needed when it was sent.',
    data: { error: 'insufficient_scope' },
  },
};

/** Serializes the error of a request whose answer JSON cannot represent: without it the client, and a shutdown, would wait for ever. */
export function spellUnspellable(id: RequestId): string {
  const error = { code: -32_603, message: 'Internal error: the answer cannot be written as JSON.' };
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

/** Takes messages one after the other. */
export interface MessageStream {
  send(message: object): void;
}

/** What a session's connection does for its server. */
export interface Channel {
  /** Sends a message that belongs to no request. Rejects if a request of the server's own cannot reach the client. */
  send(message: JSONRPCMessage): Promise<void>;
  /** Called when a request has been answered, or never will be. */
  onSettled(): void;
}

/** The error for a request of the server's own that cannot reach the client: its sender must not wait. */
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
