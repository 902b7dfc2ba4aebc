/** JSON-RPC messages as sessions handle them: their kinds, where they go, and what is said where an answer cannot be given. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';

/** A JSON-RPC request id, or a progress token, which has the same form. */
export type RequestId = string | number;

/** Where the answer to one request goes. */
export interface Reply {
  /** Takes the answer as JSON, or hears that none will come: the request has been cancelled. */
  settle(json?: string): void;
  /** Hears that no result will come, and why: the client is told that instead. */
  abandon(id: RequestId, reason: AbandonReason): void;
  /** Where what belongs to the request goes before the answer; undefined where the client takes nothing. */
  stream(): MessageStream | undefined;
  /** Whether the client comes back when its response ends without the answer. */
  readonly canPause?: boolean;
  /** Ends the response, whose client is to come back after so many milliseconds; false where it would not. */
  pause?(comeBackAfterMs: number): boolean;
}

/** Why a request is given up that its client still waits for. */
export type AbandonReason = 'session_ended' | 'revoked';

/** Why a client that comes back for an answer gets another one: it is not kept, or not for this caller. */
export type LossReason = 'answer_lost' | 'insufficient_scope';

/** What a request is told that is given up; to be changed for neither of its two forms, JSON and event, alone. */
export function spellAbandonment(id: RequestId | null, reason: AbandonReason | LossReason): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: ABANDONMENTS[reason] });
}

const ABANDONMENTS: Readonly<Record<AbandonReason | LossReason, object>> = {
  session_ended: { code: -32_001, message: 'The session has ended.', data: { error: 'session_ended' } },
  revoked: {
    code: -32_001,
    // It may have been one that the client refreshes by itself, or one that nobody gives back.
    message:
      'The token that this request came with is not valid any more. The request may have done its work: send it again if that is safe. Where the token is refused then, sign in again or ask for a new one.',
    data: { error: 'invalid_token' },
  },
  answer_lost: {
    code: -32_001,
    message:
      'The stream of this request broke, and what came on it is not kept any more. The request may have done its work: send it again if that is safe.',
    data: { error: 'answer_lost' },
  },
  insufficient_scope: {
    code: -32_001,
    message: 'The token lacks a scope that this request needed when it was sent.',
    data: { error: 'insufficient_scope' },
  },
};

/** What a request is told whose answer JSON cannot spell: without a word its client, and a shutdown, would wait for ever. */
export function spellUnspellable(id: RequestId): string {
  const error = { code: -32_603, message: 'Internal error: JSON cannot spell the answer.' };
  return JSON.stringify({ jsonrpc: '2.0', id, error });
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
