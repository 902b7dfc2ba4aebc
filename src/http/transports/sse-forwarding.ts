/** Forwards messages of HTTP+SSE to the process that has their session's stream, and answers clients as that process would. */
import type { Logger } from 'pino';
import type { Grant } from '../../auth/verifier.ts';
import type { Caller } from '../../mcp/caller.ts';
import { readPlainCall } from '../../mcp/plain-call.ts';
import { PeerGoneError, type Peers } from '../../sessions/peers.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { HttpError } from '../errors.ts';
import type { RpcBody } from './json-rpc.ts';
import { readCaller, type SpelledCaller, spellCaller, unreachable } from './peer-callers.ts';

/** What is needed to forward messages. */
export interface ForwardingParts {
  readonly peers: Peers;
  readonly sessionIds: SessionIds;
  readonly isCurrent: (grant: Grant) => boolean;
  readonly log: Logger;
}

/** A message for a session. */
export interface Delivery {
  readonly sessionId: string;
  readonly body: RpcBody;
  readonly caller: Caller;
}

/** A message as it is sent to another process. */
interface Forwarded {
  readonly sessionId: string;
  readonly body: unknown;
  readonly caller: SpelledCaller;
}

/** Makes the id of a session whose stream this process is about to open. The id names the process. */
export function createSseId({ peers, sessionIds }: ForwardingParts, userId: string): string {
  return sessionIds.create({ kind: 'sse', userId, notes: peers.self });
}

/** Takes the messages that other processes forward. An {@link HttpError} of `deliver` is sent back, for the client. */
export function acceptForwarded(
  { peers, isCurrent }: ForwardingParts,
  deliver: (delivery: Delivery) => void,
): void {
  peers.onAsk(
    'sse message',
    ({ sessionId, body, caller: spelled }: Forwarded): SpelledRefusal | undefined => {
      const caller = readCaller(spelled);
      return refusalOf(() => {
        // The token was added or removed a moment ago: the two processes will soon agree.
        if (!isCurrent(caller.grant)) throw unreachable();
        deliver({ sessionId, body: { body, call: readPlainCall(body) }, caller });
      });
    },
  );
}

/**
 * Forwards a message to the process that has its session's stream; false when there is no such other process.
 * @throws {HttpError} the refusal of that process; 503 when it cannot be reached
 */
export async function forwardMessage(
  { peers, sessionIds, log }: ForwardingParts,
  { sessionId, body: { body }, caller }: Delivery,
): Promise<boolean> {
  const home = sessionIds.read(sessionId, { kind: 'sse', userId: caller.user.userId });
  if (home === undefined || home === peers.self) return false;
  const forwarded: Forwarded = { sessionId, body, caller: spellCaller(caller) };
  let refusal: SpelledRefusal | null | undefined;
  try {
    refusal =
      (await peers.ask<SpelledRefusal | null | undefined>(home, 'sse message', forwarded)) ?? undefined;
  } catch (error) {
    if (error instanceof PeerGoneError) return false;
    throw unreachable(error);
  }
  if (refusal !== undefined) throw readRefusal(refusal);
  log.info({ requestId: caller.requestId, userId: caller.user.userId }, 'message forwarded');
  return true;
}

/** A refusal as it is sent to another process. */
interface SpelledRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly rpcCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Runs an action; returns the refusal that it throws, for another process, or undefined. Any other error is rethrown. */
function refusalOf(action: () => void): SpelledRefusal | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const { status, code, message, rpcCode, headers } = error;
    return { status, code, message, rpcCode, headers };
  }
}

/** Reads a refusal that another process has sent. */
function readRefusal({ status, code, message, rpcCode, headers }: SpelledRefusal): HttpError {
  return new HttpError(status, code, message, { rpcCode, headers });
}
