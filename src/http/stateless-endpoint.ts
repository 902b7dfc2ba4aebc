/** The 2026-07-28 revision: each POST stands alone. The SDK's handler does the protocol; this file connects it to Node. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { Grant } from '../auth/verifier.ts';
import { type Caller, toAuthInfo } from '../mcp/caller.ts';
import { createMcpServer, type McpDefinition } from '../mcp/server.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { grantOf, type RequestContext } from './context.ts';
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
  const calls = new Set<Promise<void>>();
  let closed = false;
  return {
    async handle(ctx, body) {
      if (closed) throw shuttingDown();
      const grant = grantOf(ctx);
      const { requestId } = ctx.state;
      const isCall = !isSubscription(body);
      if (!isCall) holdSubscription(ctx, registry, grant);
      ctx.respond = false;
      const served = exchange({
        ctx,
        handler,
        streams,
        body,
        caller: { ...grant, transport: 'streamable-http', requestId },
      });
      if (isCall) calls.add(served);
      await served.finally(() => calls.delete(served));
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

/** One request on its way through the SDK's handler. */
interface Exchange {
  readonly ctx: RequestContext;
  readonly handler: McpHttpHandler;
  readonly streams: EventStreams;
  readonly body: unknown;
  readonly caller: Caller;
}

/** Hands the request over and writes what comes back. */
async function exchange({ ctx, handler, streams, body, caller }: Exchange): Promise<void> {
  const { req, res } = ctx;
  const abort = new AbortController();
  // Closing its response is how a client of this revision cancels.
  res.once('close', () => abort.abort());
  let early: EventStream | undefined;
  if (ctx.accepts('text/event-stream') !== false) {
    streams.whenSilent(res, () => (early = streams.open(res, caller)));
  }

  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    // The credential stays outside: nothing behind this line needs it.
    if (typeof value === 'string' && !CREDENTIAL_HEADERS.has(name)) headers.set(name, value);
  }
  const request = new Request('http://localhost/mcp', { method: 'POST', headers, signal: abort.signal });
  const response = await handler.fetch(request, { authInfo: toAuthInfo(caller), parsedBody: body });
  if (res.destroyed) return void response.body?.cancel();
  if (
    response.headers.get('content-type')?.startsWith('text/event-stream') === true &&
    response.body !== null
  ) {
    return pump(response.body, early ?? streams.open(res, caller), res);
  }
  const text = await response.text();
  if (early !== undefined) {
    early.write(`event: message\ndata: ${text}\n\n`);
    early.end();
    return;
  }
  const length = { 'Content-Length': Buffer.byteLength(text) };
  res.writeHead(response.status, { ...Object.fromEntries(response.headers), ...length }).end(text);
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
