/** Refuses the calls of runaway programs: so many more than their user may make that nothing can be reading the answers. */
import { type CallLimit, secondsOf } from '../../mcp/call-limit.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { fieldOf } from './body-bounds.ts';
import type { RpcBody } from './json-rpc.ts';

/**
 * Counts the tool calls of a body as they arrive. Up to ten times the user's limit they pass here, and those above the limit are answered
 * in words, which the model reads; it never sees an HTTP status.
 * @throws {HttpError} 429 beyond that
 */
export function refuseRunaway(ctx: RequestContext, { body, call }: RpcBody, callLimit: CallLimit): void {
  const calls = call === undefined ? countCalls(body) : 1;
  const waitMs = callLimit.arrive(grantOf(ctx), calls);
  if (waitMs === undefined) return;
  const seconds = secondsOf(waitMs);
  const words = `This user's token makes more than ten times as many tool calls as it may. Stop the program that makes them, or let it wait ${seconds} seconds.`;
  throw new HttpError(429, 'call_limit', words, {
    headers: { 'Retry-After': String(seconds) },
    facts: { limit: 'CALLS_PER_MINUTE' },
  });
}

/** How many tool calls there are in a body that is no plain call: a batch may have several. */
function countCalls(body: unknown): number {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.filter((message) => fieldOf(message, 'method') === 'tools/call').length;
}
