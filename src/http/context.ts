/** What a request carries through the middleware, and what a route is. */
import type { ParameterizedContext } from 'koa';
import type { Grant } from '../auth/verifier.ts';
import type { Caller } from '../mcp/caller.ts';
import type { Trace } from '../mcp/trace.ts';

/** The state of one request. */
export interface RequestState {
  /** Names the request in the log and in X-Request-Id. */
  requestId: string;
  /** The route of its path; absent where nothing is served. */
  route?: Route;
  /** Set by the credential check: whoever handles a protected route has it. */
  grant?: Grant;
  /** Whether errors are answered as JSON-RPC: on the MCP routes, once the caller is authenticated. */
  speaksJsonRpc?: boolean;
  /** The id of the JSON-RPC request being answered, as soon as it is known. */
  rpcId?: string | number;
  /** The method of a JSON-RPC message, for the log. */
  rpcMethod?: string;
  /** Whether it is a plain tool call, which leaves a line of its own. */
  isCall?: true;
  /** What a message says of its client, for the log. */
  client?: string;
  /** The trace that a message, or a header, says it is part of. */
  trace?: Trace;
  /** Why the request was refused, for the log. */
  refusal?: Readonly<Record<string, string | undefined>>;
  /** The session the request belongs to, for the log. */
  sessionId?: string;
}

/** Koa's context with our state. */
export type RequestContext = ParameterizedContext<RequestState>;

/** One step of a request's way: a middleware of Koa. */
export type Step = (ctx: RequestContext, next: () => unknown) => unknown;

/** Handles one method of one path. */
export type Handler = (ctx: RequestContext) => Promise<void> | void;

/** A path of the server. */
export interface Route {
  readonly path: string;
  /** Handlers by method. Only what stands here is answered: HEAD wherever GET is (RFC 9110, section 9.3.2), but on a stream, which it would open. */
  readonly methods: Readonly<Record<string, Handler>>;
  /** A route is behind the credential check unless it says that it is public. */
  readonly access?: 'public';
  /**
   * Whether those who watch servers ask for it, by an address or a name that is no client's: it is answered whatever the Host and
   * the Origin are.
   */
  readonly isProbe?: true;
  /**
   * Whose pages may call it, where not the guard's list says so: `any` page, since nothing that a browser adds by itself counts there;
   * or only this server's `own`.
   */
  readonly pages?: 'any' | 'own';
  /** Whether it speaks MCP, so that its errors are JSON-RPC errors. */
  readonly protocol?: 'mcp';
  /** Whether it writes its own answers (`direct-answer.ts`), so that its requests pass in front of Koa. */
  readonly answersItself?: true;
  /** Loads what its first request would have to wait for, and no start should. */
  readonly loadAhead?: () => Promise<unknown>;
  /** Called when the server has closed. */
  readonly close?: () => void;
}

/** What every route is that speaks MCP. */
export const MCP_ROUTE = { protocol: 'mcp', answersItself: true } as const;

/** Whether the client takes an event stream for an answer. */
export function acceptsEventStream(ctx: RequestContext): boolean {
  const { accept } = ctx.req.headers;
  // What nearly every client sends; weighing media types against each other is dear.
  if (accept === 'application/json, text/event-stream') return true;
  return ctx.accepts('text/event-stream') !== false;
}

/** Whether the client takes an event stream for an answer, and no plain JSON. */
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

/** Who sends a request on a protected route, with which client where no message says so. */
export function senderOf(
  ctx: RequestContext,
  transport: Caller['transport'],
  sessionsClient?: string,
): Caller {
  const grant = grantOf(ctx);
  const { requestId, client = sessionsClient, trace } = ctx.state;
  return { user: grant.user, grant, transport, requestId, client, trace };
}
