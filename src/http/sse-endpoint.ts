/** The HTTP+SSE transport of 2024-11-05: `GET /sse` and `POST /messages`. Delete this file and its line to drop it. */
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import type { Caller } from '../mcp/caller.ts';
import { createMcpServer, type McpDefinition } from '../mcp/server.ts';
import type { Session, SessionRegistry } from '../sessions/registry.ts';
import { grantOf, type Handler, type RequestContext, type Route } from './context.ts';
import { HttpError, sessionNotFound } from './errors.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { duplicateId, initializeProblem, isRequest, parseMessages, readRpcBody } from './json-rpc.ts';
import { SessionDispatch } from './session-dispatch.ts';
import { openSession } from './session-opening.ts';

/** What the endpoint is made from. */
export interface SseParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly streams: EventStreams;
  readonly maxBodyBytes: number;
}

/** The two routes of the transport. */
export function createSseRoutes(parts: SseParts): Route[] {
  const transports = new WeakMap<Session, SseTransport>();
  return [
    { path: '/sse', protocol: 'mcp', methods: { GET: openStream(parts, transports) } },
    { path: '/messages', protocol: 'mcp', methods: { POST: acceptMessage(parts, transports) } },
  ];
}

/**
 * The SDK's transport with what it leaves to its user: calls are counted, and its writes are bounded.
 * It is v1's class on a v2 server, which asks of a transport only what this one has.
 */
class SseTransport extends SSEServerTransport {
  session: Session | undefined;
  stream: EventStream | undefined;
  dispatch: SessionDispatch | undefined;

  override async send(message: Parameters<SSEServerTransport['send']>[0]): Promise<void> {
    // A stream that has ended stays until its client has read it: a write would be an error that nobody catches.
    if (this.stream?.isOpen !== false) await super.send(this.dispatch?.correct(message) ?? message);
    this.stream?.noteWrite();
    if (!('method' in message) && message.id !== undefined) this.session?.settle(message.id);
  }
}

/** `GET /sse`: opens a session, whose life is the stream's. */
function openStream(
  { definition, registry, streams }: SseParts,
  transports: WeakMap<Session, SseTransport>,
): Handler {
  return async (ctx) => {
    const grant = grantOf(ctx);
    const transport = new SseTransport('/messages', ctx.res);
    const session = openSession(registry, {
      id: transport.sessionId,
      userId: grant.user.userId,
      kind: 'sse',
      onEnd: (reason) => transport.stream?.end({ comeBackLater: reason === 'shutdown' }),
    });
    ctx.state.sessionId = session.id;
    ctx.respond = false;
    ctx.set({ 'X-Accel-Buffering': 'no' });
    const release = session.holdStream();
    ctx.res.once('close', () => {
      release();
      transport.dispatch?.close();
      registry.end(session, 'closed');
    });
    transport.session = session;
    transports.set(session, transport);
    const server = createMcpServer(definition, { session });
    // v1 and v2 declare Transport apart; the calls between them are the same (all revisions are tested).
    await server.connect(transport);
    transport.stream = streams.adopt(ctx.res, grant);
    transport.dispatch = new SessionDispatch({
      definition,
      server,
      send: (message) => transport.send(message),
      // Not handleMessage(): it would validate a second time what parseMessages has let through.
      forward: (message, extra) => transport.onmessage?.(message, extra),
    });
  };
}

/** `POST /messages`: takes one message; the answer goes to the session's stream alone. */
function acceptMessage(
  { registry, maxBodyBytes }: SseParts,
  transports: WeakMap<Session, SseTransport>,
): Handler {
  return async (ctx) => {
    const body = await readRpcBody(ctx, maxBodyBytes);
    const { session, transport } = findSession(ctx, registry, transports);
    const { messages, isBatch } = parseMessages(body);
    const [message] = messages;
    if (message === undefined || isBatch) {
      throw new HttpError(400, 'invalid_request', 'This transport takes one message at a time.', {
        rpcCode: -32_600,
      });
    }
    await deliver(message, ctx, session, transport);
    ctx.status = 202;
    ctx.body = 'Accepted';
  };
}

/** The session that the request names, if it is the caller's and open. */
function findSession(
  ctx: RequestContext,
  registry: SessionRegistry,
  transports: WeakMap<Session, SseTransport>,
) {
  const { sessionId } = ctx.query;
  if (typeof sessionId !== 'string' || sessionId === '') {
    const words = 'Name one session: POST to the address that the first event of GET /sse gave.';
    throw new HttpError(400, 'session_required', words);
  }
  const session = registry.find(sessionId, grantOf(ctx).user.userId, 'sse');
  const transport = session && transports.get(session);
  if (session === undefined || transport === undefined) throw sessionNotFound();
  ctx.state.sessionId = session.id;
  return { session, transport };
}

/** Hands a message to the session's server. */
async function deliver(
  message: JSONRPCMessage,
  ctx: RequestContext,
  session: Session,
  transport: SseTransport,
): Promise<void> {
  session.touch();
  if (isRequest(message)) {
    if (session.isWorkingOn(message.id)) throw duplicateId();
    const problem = message.method === 'initialize' ? initializeProblem(message) : undefined;
    if (problem !== undefined) return transport.send({ jsonrpc: '2.0', id: message.id, error: problem });
    session.begin(message.id);
  }
  const { requestId } = ctx.state;
  const caller: Caller = { ...grantOf(ctx), transport: 'sse', requestId };
  const cancelledId = transport.dispatch?.deliver(message, caller);
  if (cancelledId !== undefined) session.settle(cancelledId);
}
