/** The parts of a session, its requests in flight, and how many there may be. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Grant } from '../auth/verifier.ts';
import { LaneCall, spellAnswer } from './lane.ts';
import { type Channel, type Reply, type RequestId, spellUnspellable } from './messages.ts';
import { correctParamsError } from './params-check.ts';
import type { Handshake } from './sdk-session.ts';
import type { McpDefinition } from './server.ts';

/** The parts of a session. */
export interface McpSessionParts {
  readonly definition: McpDefinition;
  /** The user of the session. */
  readonly userId: string;
  readonly channel: Channel;
  /** The handshake that has already taken place, for a session that goes on. */
  readonly handshake?: Handshake | undefined;
}

/** How many requests of one session may be in flight: as many as may come in one batch. */
export const MAX_REQUESTS_IN_FLIGHT = 100;

/** A request that is being worked on: by the lane, or else by the SDK's server. */
export interface SessionRequest {
  readonly id: RequestId;
  readonly grant: Grant;
  readonly reply: Reply;
  readonly work: LaneCall | JSONRPCRequest;
  /** The request's id in the SDK's server: clients may have equal ids in flight, each on a response of its own. */
  readonly key: number;
}

/**
 * Serializes an answer of the SDK's server under the client's id, or an error if JSON cannot represent it: a feature's handler may answer
 * anything.
 */
export function spellAnswerOf({ id, work }: SessionRequest, answer: JSONRPCMessage): string {
  const corrected = work instanceof LaneCall ? answer : correctParamsError(answer, work);
  try {
    return JSON.stringify({ ...corrected, id });
  } catch {
    return spellUnspellable(id);
  }
}

/** Serializes the answer to a request for which the session has no room; that to a tool call is a result that the model reads. */
export function spellRefusal({ id, method }: JSONRPCRequest): string {
  const text = `too_many_calls: this session has ${MAX_REQUESTS_IN_FLIGHT} requests under way. Wait until one has ended, then try again.`;
  if (method === 'tools/call') return spellAnswer(id, { content: [{ type: 'text', text }], isError: true });
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message: text } });
}
