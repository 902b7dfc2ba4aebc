/** The 2026-07-28 revision: each POST stands alone. The SDK's handler does the protocol; this file connects it to Node. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { Grant } from '../auth/verifier.ts';
import { type Caller, toAuthInfo } from '../mcp/caller.ts';
import { createStatelessLane, type StatelessRun } from '../mcp/fast-lane.ts';
import { createMcpServer, type McpDefinition } from '../mcp/server.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { acceptsEventStream, grantOf, type RequestContext } from './context.ts';
import { shuttingDown } from './errors.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { openSession } from './session-opening.ts';

/** What the endpoint is made from. */
export interface StatelessParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly streams: EventStreams;
}

/** Serves requests of the stateless revision. */
export interface StatelessEndpoint {
  /** Answers a plain call the short way; undefined when `handle` must do it. */
  handlePlain(ctx: RequestContext, body: unknown): Promise<void> | undefined;
  /** Answers one POST whose body has been parsed. */
  handle(ctx: RequestContext, body: unknown): Promise<void>;
  /** Waits for the calls in flight, then ends the subscriptions with the answer that the revision has for it. */
  drain(): Promise<void>;
}

/** Makes the endpoint. */
export function createStatelessEndpoint({
  definition,
  registry,
  streams,
}: StatelessParts): StatelessEndpoint {
  const handler = createMcpHandler(() => createMcpServer(definition), {
    legacy: 'reject',
    bus: definition.changes.subscriptions,
    // The registry counts subscriptions as sessions, and EventStream beats for every stream.
    maxSubscriptions: Number.MAX_SAFE_INTEGER,
    keepAliveMs: 0,
  });
  const lane = createStatelessLane(definition);
  const calls = new Set<Promise<void>>();
  let closed = false;
  /** Counts a call as in flight until it is over. */
  const track = async (call: Promise<void>): Promise<void> => {
    calls.add(call);
    await call.finally(() => calls.delete(call));
  };

  return {
    handlePlain(ctx, body) {
      const run = closed ? undefined : lane.take(body, ctx.req.headers);
      if (run === undefined) return undefined;
      ctx.respond = false;
      return track(runPlain(ctx, streams, run));
    },
    async handle(ctx, body) {
      if (closed) throw shuttingDown();
      const isCall = !isSubscription(body);
      if (!isCall) holdSubscription(ctx, registry, grantOf(ctx));
      ctx.respond = false;
      const served = exchange({ ctx, handler, streams, body });
      await (isCall ? track(served) : served);
    },
    async drain() {
      // More may come meanwhile, on connections that are still open.
      while (calls.size > 0) await Promise.allSettled(calls);
      closed = true;
      await handler.close();
    },
  };
}

/** Whether the body asks for a stream of change notifications. */
function isSubscription(body: unknown): boolean {
  return (
    typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen'
  );
}

/** Counts a subscription as one of the user's sessions, so that nobody can hold more streams than sessions. */
function holdSubscription(ctx: RequestContext, registry: SessionRegistry, { user: { userId } }: Grant): void {
  const { res } = ctx;
  const session = openSession(registry, {
    id: randomUUID(),
    userId,
    kind: 'subscription',
    // Before a shutdown, drain() ends it with an answer.
    onEnd: (reason) => void (reason === 'shutdown' || res.end()),
  });
  const release = session.holdStream();
  res.once('close', () => {
    release();
    registry.end(session, 'closed');
  });
}

/** Who sends a request of this revision. */
function callerFor(ctx: RequestContext): Caller {
  return { ...grantOf(ctx), transport: 'streamable-http', requestId: ctx.state.requestId };
}

/** Runs a plain call past the SDK. */
async function runPlain(ctx: RequestContext, streams: EventStreams, run: StatelessRun): Promise<void> {
  ctx.res.once('close', run.cancel);
  const reply = openReply(ctx, streams);
  const text = JSON.stringify(await run.answer(callerFor(ctx)));
  reply.write(text, 200, { 'content-type': 'application/json' });
}

/** One request on its way through the SDK's handler. */
interface Exchange {
  readonly ctx: RequestContext;
  readonly handler: McpHttpHandler;
  readonly streams: EventStreams;
  readonly body: unknown;
}

/** Hands the request over and writes what comes back. */
async function exchange({ ctx, handler, streams, body }: Exchange): Promise<void> {
  const { req, res } = ctx;
  const abort = new AbortController();
  // Closing its response is how a client of this revision cancels.
  res.once('close', () => abort.abort());
  const reply = openReply(ctx, streams);

  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    // The credential stays outside: nothing behind this line needs it.
    if (typeof value === 'string' && !CREDENTIAL_HEADERS.has(name)) headers.set(name, value);
  }
  const request = new Request('http://localhost/mcp', { method: 'POST', headers, signal: abort.signal });
  const authInfo = toAuthInfo(callerFor(ctx));
  const response = await handler.fetch(request, { authInfo, parsedBody: body });
  if (res.destroyed) return void response.body?.cancel();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream && response.body !== null) return pump(response.body, reply.stream(), res);
  reply.write(await response.text(), response.status, Object.fromEntries(response.headers));
}

/** A response that becomes a stream when its answer takes longer than a proxy may bear silence. */
interface Reply {
  readonly write: (text: string, status: number, headers: Readonly<Record<string, string>>) => void;
  readonly stream: () => EventStream;
}

/** Prepares the response to a request. */
function openReply(ctx: RequestContext, streams: EventStreams): Reply {
  const { res } = ctx;
  let opened: EventStream | undefined;
  const stream = (): EventStream => (opened ??= streams.open(res, grantOf(ctx)));
  if (acceptsEventStream(ctx)) streams.whenSilent(res, () => void stream());
  return {
    stream,
    write(text, status, headers) {
      if (opened !== undefined) {
        opened.write(`event: message\ndata: ${text}\n\n`);
        opened.end();
      } else if (!res.destroyed) {
        res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
      }
    },
  };
}

const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'x-auth-token',
  'cookie',
]);

/** Copies a stream's frames until either side ends. */
async function pump(
  body: ReadableStream<Uint8Array>,
  stream: EventStream,
  res: ServerResponse,
): Promise<void> {
  const reader = body.getReader();
  res.once('close', () => void reader.cancel().catch(() => undefined));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    stream.write(value);
  }
  stream.end();
}
