/** Every refusal in one place: a status, a stable code, and a sentence that says what to do. */
import { channel } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { shownName, shownPath } from '../log.ts';
import { clientAddressOf } from './client-address.ts';
import { type Answer, JSON_HEADERS_WITH_CHARSET, writeAnswer, writeHead } from './direct-answer.ts';
import type { RequestContext, RequestState, Step } from './context.ts';
import { REFUSED, type RefusalEvent } from './refusal-event.ts';

/** More about an error than its status, code and message. */
export interface HttpErrorOptions extends ErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The JSON-RPC error code, on the MCP routes. Default: -32000, the first of those left to servers. */
  readonly rpcCode?: number;
  /** More fields for its line in the log. */
  readonly facts?: RefusalFacts;
  /** Answers it as a page for people instead of JSON, through Koa. The request has been read to its end by then. */
  readonly show?: ((ctx: RequestContext) => void) | undefined;
}

/** Why a request was refused, for its line in the log: never a credential. */
export type RefusalFacts = Readonly<Record<string, string | undefined>>;

/** A refusal that the client is to see. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Stable: clients and scripts may compare it. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rpcCode: number;
  readonly facts: RefusalFacts;
  readonly show: HttpErrorOptions['show'];

  constructor(
    status: number,
    code: string,
    message: string,
    { headers = {}, rpcCode = -32_000, facts = {}, show, ...rest }: HttpErrorOptions = {},
  ) {
    // A refusal is answered, not debugged: capturing its stack would be the most expensive part of it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, rest);
    Error.stackTraceLimit = stackTraceLimit;
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.rpcCode = rpcCode;
    this.facts = facts;
    this.show = show;
  }
}

/** The answer to a session id that does not exist or is somebody else's: the two must not be told apart. */
export function sessionNotFound(): HttpError {
  return new HttpError(404, 'session_not_found', 'No such session. Initialize again.', { rpcCode: -32_001 });
}

/** What is wrong with a valid token that lacks a scope. */
export interface ScopeFault {
  /** No double quotes: it goes into a WWW-Authenticate parameter. */
  readonly words: string;
  /** More parameters of the challenge, each with a comma before it: the scopes to ask for, and where. */
  readonly besides: string;
  readonly facts?: RefusalFacts;
}

/** The answer to a token that lacks a scope (RFC 6750, section 3.1). */
export function insufficientScope({ words, besides, facts = {} }: ScopeFault): HttpError {
  return new HttpError(403, 'insufficient_scope', words, {
    headers: {
      'WWW-Authenticate': `Bearer realm="mcp", error="insufficient_scope", error_description="${words}"${besides}`,
    },
    facts: { reason: 'insufficient_scope', ...facts },
  });
}

/** The answer to requests that would begin a stream or a session while the server is shutting down. */
export function shuttingDown(cause?: Error): HttpError {
  return new HttpError(503, 'shutting_down', 'This server is shutting down. Try again in a moment.', {
    headers: { 'Retry-After': '8' },
    cause,
  });
}

/**
 * To be called after a wait, before something is opened that ends only when the client goes: it may have gone meanwhile.
 * @throws {HttpError} when it has; nobody will read that
 */
export function requireClient({ res }: RequestContext): void {
  if (res.destroyed) throw new HttpError(400, 'client_gone', 'The client has gone.');
}

/** The outermost handler: everything that is thrown becomes an answer, with the headers that were set before. */
export function answerErrors(log: Logger, { showAddress }: { readonly showAddress: boolean }): Step {
  const refused = channel(REFUSED);
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const refusal = toHttpError(error, ctx, log);
      const address = showAddress ? clientAddressOf(ctx) : undefined;
      ctx.state.refusal = { error: refusal.code, ...refusal.facts, client: clientOf(ctx), address };
      if (refused.hasSubscribers) refused.publish(refusalEvent(ctx.state, refusal));
      if (refusal.show === undefined) await answer(ctx, refusal);
      else refusal.show(ctx);
    }
  };
}

/** The event of a refusal, for subscribers of its channel. */
function refusalEvent({ requestId, grant, refusal = {} }: RequestState, { status }: HttpError): RefusalEvent {
  const { error: code = '', reason, limit, client, address } = refusal;
  const userId = grant?.user.userId ?? refusal['userId'];
  const tokenId = grant?.tokenId ?? refusal['tokenId'];
  return { status, code, reason, limit, requestId, userId, tokenId, client, address };
}

/** The name of the client: from the message that was refused, or else from its User-Agent. */
function clientOf({ state, req }: RequestContext): string | undefined {
  const name = state.client ?? req.headers['user-agent'];
  return name === undefined ? undefined : shownName(name);
}

/** The refusal for a thrown value. An unexpected error is logged and becomes a 500 that says nothing of it. */
function toHttpError(error: unknown, ctx: RequestContext, log: Logger): HttpError {
  if (error instanceof HttpError) return error;
  log.error(
    { err: error, requestId: ctx.state.requestId, method: ctx.method, path: shownPath(ctx.path) },
    'unexpected error',
  );
  const message = `Something went wrong here. Report the request id ${ctx.state.requestId}.`;
  return new HttpError(500, 'internal_error', message, { rpcCode: -32_603 });
}

/** Sends a refusal, with the headers that were set before it. */
async function answer(ctx: RequestContext, error: HttpError): Promise<void> {
  if (ctx.res.headersSent) {
    // A stream has begun: it can only be ended.
    ctx.respond = false;
    ctx.res.destroy();
    return;
  }
  const said = ctx.state.speaksJsonRpc === true ? spell(ctx.state, error) : spellOnce(error);
  const { req, res } = ctx;
  // A body is paused when the rest of it is too much to read.
  const endsConnection = req.isPaused() || (!req.complete && !res.shouldKeepAlive);
  if (endsConnection) await answerBeforeBodyEnds(ctx, error.status, said);
  else writeAnswer(ctx, error.status, said);
}

/** Serializes a refusal. */
function spell(state: Pick<RequestState, 'speaksJsonRpc' | 'rpcId'>, error: HttpError): Answer {
  const headers = [...JSON_HEADERS_WITH_CHARSET, ...Object.entries(error.headers).flat()];
  return { text: JSON.stringify(bodyOf(state, error)), headers };
}

/** Refusals that are answered again and again, as for wrong credentials, serialized for routes without JSON-RPC. */
const spelled = new WeakMap<HttpError, Answer>();

/** The same, serialized once for each refusal. */
function spellOnce(error: HttpError): Answer {
  const said = spelled.get(error) ?? spell({}, error);
  spelled.set(error, said);
  return said;
}

/** The JSON of a refusal: a JSON-RPC error on the MCP routes, RFC 6749's two fields elsewhere. */
function bodyOf(
  { speaksJsonRpc = false, rpcId }: Pick<RequestState, 'speaksJsonRpc' | 'rpcId'>,
  { code, message, rpcCode }: HttpError,
): object {
  if (!speaksJsonRpc) return { error: code, error_description: message };
  return { jsonrpc: '2.0', id: rpcId ?? null, error: { code: rpcCode, message, data: { error: code } } };
}

/** How long a client may go on sending a body that nobody reads. Milliseconds. */
export const LINGER_MS = 1_000;

/**
 * Answers before the body has ended, on a connection that is going to be closed: because the client asked for it, or because the rest is
 * too much to read. For a moment, what still arrives is read and thrown away: closing at once would reset the connection, and the client
 * would never see the answer.
 */
async function answerBeforeBodyEnds(
  ctx: RequestContext,
  status: number,
  { text, headers }: Answer,
): Promise<void> {
  const { req, res } = ctx;
  const own = ['Connection', 'close', 'Cache-Control', 'no-store'];
  writeHead(ctx, status, [...own, 'Content-Length', String(Buffer.byteLength(text)), ...headers]);
  res.write(text);
  req.resume();
  if (!req.complete)
    await Promise.race([
      once(req, 'close').catch(() => undefined),
      delay(LINGER_MS, undefined, { ref: false }),
    ]);
  res.end();
}
