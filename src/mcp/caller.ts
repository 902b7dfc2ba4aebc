/** Who sent a request, and over what: made by the transports for each request, read by the tools. */
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import type { UserContext } from '../auth/user.ts';
import type { Grant } from '../auth/verifier.ts';
import type { TransportName } from './tool.ts';
import { readTrace, type Trace } from './trace.ts';

/** One request's sender. */
export interface Caller {
  readonly user: UserContext;
  /** What lets it in, as the verifier gave it: a call is worth no more than this. */
  readonly grant: Grant;
  readonly transport: TransportName;
  /** Names the request in the log and in the answer's X-Request-Id. */
  readonly requestId: string;
  /** The client's name and version, as it says them of itself. */
  readonly client?: string | undefined;
  /** What the request is part of, where its client says so. */
  readonly trace?: Trace | undefined;
}

/** Sends a request's client away for so many milliseconds; false where it would not come back. */
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

/** How the client of the request that a handler serves is sent away; undefined where none is. */
export function pauseOf(context: ServerContext): Pause | undefined {
  // oxlint-disable-next-line no-unsafe-type-assertion -- only toAuthInfo puts something into `extra`
  return context.http?.authInfo?.extra?.['pause'] as Pause | undefined;
}

/** The caller of the request that a handler serves; without HTTP, the one of the whole connection. */
export function callerOf(context: ServerContext, connectionCaller?: () => Caller): Caller {
  // oxlint-disable-next-line no-unsafe-type-assertion -- only toAuthInfo puts something into `extra`
  const caller = context.http?.authInfo?.extra?.['caller'] as Caller | undefined;
  if (caller !== undefined) return caller;
  const ofConnection = connectionCaller?.();
  if (ofConnection === undefined) throw new Error('A request reached a handler without a caller.');
  return { ...ofConnection, trace: readTrace(context.mcpReq._meta) };
}
