/** The state that a request carries through the middleware, and the form of a route. */
import type { ParameterizedContext } from 'koa';
import type { Grant } from '../auth/verifier.ts';
import type { Caller } from '../mcp/caller.ts';
import type { Trace } from '../mcp/trace.ts';

/** The state of one request. */
export interface RequestState {
  /** Names the request in the log and in X-Request-Id. */
  requestId: string;
  /** The route of its path; absent for a path without one. */
  route?: Route;
  /** Set by the credential check, so that every handler of a protected route has it. */
  grant?: Grant;
  /** Whether errors are answered as JSON-RPC: on the MCP routes, once the caller is authenticated. */
  speaksJsonRpc?: boolean;
  /** The id of the JSON-RPC request, as soon as it is known. */
  rpcId?: string | number;
  /** The method of a JSON-RPC message, for the log. */
  rpcMethod?: string;
  /** Whether it is a plain tool call, which has a line of its own in the log. */
  isCall?: true;
  /** The client's name and version from the message, for the log. */
  client?: string;
  /** The trace context of the message or of the headers. */
  trace?: Trace;
  /** Why the request was refused, for the log. */
  refusal?: Readonly<Record<string, string | undefined>>;
  /** The session the request belongs to, for the log. */
  sessionId?: string;
}

/** Koa's context with our state. */
export type RequestContext = ParameterizedContext<RequestState>;

/** One step in the handling of a request: a Koa middleware. */
export type Step = (ctx: RequestContext, next: () => unknown) => unknown;

/** Handles one method of one path. */
export type Handler = (ctx: RequestContext) => Promise<void> | void;

/** A path of the server. */
export interface Route {
  readonly path: string;
  /** Handlers by method; any other method is 405. HEAD goes with GET (RFC 9110, section 9.3.2), except on a stream, which it would open. */
  readonly methods: Readonly<Record<string, Handler>>;
  /** A route is behind the credential check unless it says that it is public. */
  readonly access?: 'public';
  /**
   * Whether it is for probes, which use addresses and names that clients do not: it is answered whatever the Host and the Origin are.
   */
  readonly isProbe?: true;
  /**
   * Which pages may call it, if not those of the guard's list: `any` page, since nothing that a browser sends by itself gives access there;
   * or only this server's `own`.
   */
  readonly pages?: 'any' | 'own';
  /** Whether it speaks MCP, so that its errors are JSON-RPC errors. */
  readonly protocol?: 'mcp';
  /** Whether it writes its own answers (`direct-answer.ts`), so that its requests are served past Koa. */
  readonly answersItself?: true;
  /** Loads, after the start, modules that its first request would have to wait for. */
  readonly loadAhead?: () => Promise<unknown>;
  /** Called when the server has closed. */
  readonly close?: () => void;
}

/** The properties of every route that speaks MCP. */
export const MCP_ROUTE = { protocol: 'mcp', answersItself: true } as const;

/** Whether the client accepts an event stream. */
export function acceptsEventStream(ctx: RequestContext): boolean {
  const { accept } = ctx.req.headers;
  // What nearly every client sends; negotiating media types is expensive.
  if (accept === 'application/json, text/event-stream') return true;
  return ctx.accepts('text/event-stream') !== false;
}

/** Whether the client accepts an event stream, and no JSON. */
export function acceptsNothingButStreams(ctx: RequestContext): boolean {
  const { accept } = ctx.req.headers;
  if (accept === undefined || accept.includes('application/json') || accept.includes('*/*')) return false;
  return ctx.accepts('application/json') === false && acceptsEventStream(ctx);
}

/** The grant of a request on a protected route. */
export function grantOf(ctx: RequestContext): Grant {
  const { grant } = ctx.state;
  if (grant === undefined) throw new Error(`A protected handler ran without a grant: ${ctx.path}`);
  return grant;
}

/** The caller of a request on a protected route. `sessionsClient` is the client's name where the message does not have it. */
export function senderOf(
  ctx: RequestContext,
  transport: Caller['transport'],
  sessionsClient?: string,
): Caller {
  const grant = grantOf(ctx);
  const { requestId, client = sessionsClient, trace } = ctx.state;
  return { user: grant.user, grant, transport, requestId, client, trace };
}
