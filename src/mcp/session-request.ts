/** What a session is made from, its requests that are being worked on, and how many there may be. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Grant } from '../auth/verifier.ts';
import { LaneCall, spellAnswer } from './lane.ts';
import { type Channel, type Reply, type RequestId, spellUnspellable } from './messages.ts';
import { correctParamsError } from './params-check.ts';
import type { Handshake } from './sdk-session.ts';
import type { McpDefinition } from './server.ts';

/** What a session is made from. */
export interface McpSessionParts {
  readonly definition: McpDefinition;
  /** Whose it is. */
  readonly userId: string;
  readonly channel: Channel;
  /** What was agreed on with the client before, where the session goes on. */
  readonly handshake?: Handshake | undefined;
}

/** More requests than this are not worked on at once for one session: as many as may come in one batch. */
export const MAX_REQUESTS_IN_FLIGHT = 100;

/** A request that is being worked on: by the lane, or else by the SDK's server. */
export interface SessionRequest {
  readonly id: RequestId;
  readonly grant: Grant;
  readonly reply: Reply;
  readonly work: LaneCall | JSONRPCRequest;
  /** What the SDK's server knows it by: clients may have equal ids under way, each on a response of its own. */
  readonly key: number;
}

/** The answer of the SDK's server as JSON, under the id that the client knows; what a feature has registered there may answer anything. */
export function spellAnswerOf({ id, work }: SessionRequest, answer: JSONRPCMessage): string {
  const corrected = work instanceof LaneCall ? answer : correctParamsError(answer, work);
  try {
    return JSON.stringify({ ...corrected, id });
  } catch {
    return spellUnspellable(id);
  }
}

/** What a request is told for which its session has no room: of a call, in words for the model. */
export function spellRefusal({ id, method }: JSONRPCRequest): string {
  const text = `too_many_calls: this session has ${MAX_REQUESTS_IN_FLIGHT} requests under way. Wait until one has ended, then try again.`;
  if (method === 'tools/call') return spellAnswer(id, { content: [{ type: 'text', text }], isError: true });
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message: text } });
}
