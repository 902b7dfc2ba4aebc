/** Messages of HTTP+SSE that reach another process than the one that has their stream: they are dealt with there, and answered as there. */
import type { Logger } from 'pino';
import type { Grant } from '../../auth/verifier.ts';
import type { Caller } from '../../mcp/caller.ts';
import { readPlainCall } from '../../mcp/plain-call.ts';
import { PeerGoneError, type Peers } from '../../sessions/peers.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { HttpError } from '../errors.ts';
import type { RpcBody } from './json-rpc.ts';
import { readCaller, type SpelledCaller, spellCaller, unreachable } from './peer-callers.ts';

/** What is needed to pass messages on. */
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

/** A message on its way to another process. */
interface Forwarded {
  readonly sessionId: string;
  readonly body: unknown;
  readonly caller: SpelledCaller;
}

/** The id of a session whose stream this process is about to open. */
export function createSseId({ peers, sessionIds }: ForwardingParts, userId: string): string {
  return sessionIds.create({ kind: 'sse', userId, notes: peers.self });
}

/** Takes what other processes pass on; `deliver` throws what the client is to be told. */
export function acceptForwarded(
  { peers, isCurrent }: ForwardingParts,
  deliver: (delivery: Delivery) => void,
): void {
  peers.onAsk(
    'sse message',
    ({ sessionId, body, caller: spelled }: Forwarded): SpelledRefusal | undefined => {
      const caller = readCaller(spelled);
      return refusalOf(() => {
        // Its token came, or went, a moment ago: the two will soon agree.
        if (!isCurrent(caller.grant)) throw unreachable();
        deliver({ sessionId, body: { body, call: readPlainCall(body) }, caller });
      });
    },
  );
}

/**
 * Passes a message on to the process that has its session's stream; false when there is none.
 * @throws {HttpError} whatever that process refuses it with; 503 when it cannot be reached
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

/** A refusal on the way. */
interface SpelledRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly rpcCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What something is refused with, for another process; undefined when it is not. Anything but a refusal is thrown on. */
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

/** The refusal that another process gave. */
function readRefusal({ status, code, message, rpcCode, headers }: SpelledRefusal): HttpError {
  return new HttpError(status, code, message, { rpcCode, headers });
}
