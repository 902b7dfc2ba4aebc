/** Who sent a request, and over what: made by the transports for each request, read by the tools. */
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import type { Grant } from '../auth/verifier.ts';
import type { TransportName } from './tool.ts';
import { readTrace, type Trace } from './trace.ts';

/** One request's sender. */
export interface Caller {
  readonly user: UserContext;
  /** The grant of its credential, as the verifier gave it: a call may do no more than this grant allows. */
  readonly grant: Grant;
  readonly transport: TransportName;
  /** Names the request in the log and in the answer's X-Request-Id. */
  readonly requestId: string;
  /** The client's name and version, as it states them. */
  readonly client?: string | undefined;
  /** The trace that the request is part of, if its client sends one. */
  readonly trace?: Trace | undefined;
}

/** Ends the response to a request; its client comes back after so many milliseconds. False if it would not come back. */
export type Pause = (comeBackAfterMs: number) => boolean;

/** Packs a caller into what the SDK passes through to handlers. The token is left out on purpose. */
export function toAuthInfo(caller: Caller, pause?: Pause): AuthInfo {
  return {
    token: '',
    clientId: caller.user.userId,
    scopes: [...(caller.user.scopes ?? [])],
    extra: { caller, pause },
  };
}

/** The pause of the request that a handler serves; undefined if it cannot be paused. */
export function pauseOf(context: ServerContext): Pause | undefined {
  // oxlint-disable-next-line no-unsafe-type-assertion -- only toAuthInfo puts something into `extra`
  return context.http?.authInfo?.extra?.['pause'] as Pause | undefined;
}

/**
 * The caller of the request that a handler serves; without HTTP, the one of the whole connection.
 * @throws {Error} when there is neither
 */
export function callerOf(context: ServerContext, connectionCaller?: () => Caller): Caller {
  // oxlint-disable-next-line no-unsafe-type-assertion -- only toAuthInfo puts something into `extra`
  const caller = context.http?.authInfo?.extra?.['caller'] as Caller | undefined;
  if (caller !== undefined) return caller;
  const ofConnection = connectionCaller?.();
  if (ofConnection === undefined) throw new Error('A request reached a handler without a caller.');
  return { ...ofConnection, trace: readTrace(context.mcpReq._meta) };
}
