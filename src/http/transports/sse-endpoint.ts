/** The HTTP+SSE transport of 2024-11-05: `GET /sse` and `POST /messages`. `npm run drop -- sse` takes it out. */
import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Caller } from '../../mcp/caller.ts';
import {
  type AbandonReason,
  type Channel,
  type Reply,
  type RequestId,
  spellAbandonment,
} from '../../mcp/messages.ts';
import { isReadRequest, type ReadMessage } from '../../mcp/plain-call.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { McpSession } from '../../mcp/session.ts';
import type { EndReason, Session, SessionConnection, SessionRegistry } from '../../sessions/registry.ts';
import { basePathOf } from '../base-path.ts';
import { MCP_ROUTE, grantOf, type Handler, type RequestContext, type Route, senderOf } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';
import { HttpError, requireClient, sessionNotFound, shuttingDown } from '../errors.ts';
import type { EventStream } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { duplicateId, initializeProblem, parseMessages, readRpcBody, type RpcLimits } from './json-rpc.ts';
import { openSession } from './session-opening.ts';
import {
  acceptForwarded,
  createSseId,
  type Delivery,
  forwardMessage,
  type ForwardingParts,
} from './sse-forwarding.ts';
import { ResponseWithOurHead } from './sse-response.ts';
import type { StepUp } from './step-up.ts';

/** What the endpoint is made from. */
export interface SseParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly streams: EventStreams;
  readonly bodies: RpcLimits;
  readonly forwarding: ForwardingParts;
  /** The path of `publicUrl` is the prefix of the address for messages: a proxy serves the server under it. */
  readonly origin: { readonly publicUrl?: string | undefined };
  readonly stepUp?: StepUp | undefined;
}

/** The two routes of the transport. */
export function createSseRoutes(parts: SseParts): Route[] {
  acceptForwarded(parts.forwarding, (delivery) => deliver(parts, delivery));
  return [
    { path: '/sse', ...MCP_ROUTE, methods: { GET: openStream(parts) }, loadAhead: loadTransport },
    { path: '/messages', ...MCP_ROUTE, methods: { POST: acceptMessage(parts) } },
  ];
}

/** The connection of one session: its stream, and the server that answers on it. */
class SseConnection implements SessionConnection, Channel, Reply {
  readonly mcp: McpSession;
  readonly #session: Session;
  #stream: EventStream | undefined;
  #client: string | undefined;

  constructor(session: Session, definition: McpDefinition) {
    this.#session = session;
    this.mcp = new McpSession({ definition, userId: session.userId, channel: this });
  }

  /** The negotiated revision. */
  get protocolVersion(): string | undefined {
    return this.mcp.protocolVersion;
  }

  /** How many requests are in flight. */
  get callsInFlight(): number {
    return this.mcp.callsInFlight;
  }

  /** Sets the stream on which everything is sent. */
  attach(stream: EventStream): void {
    this.#stream = stream;
  }

  /**
   * Takes a message; the answer is sent on the stream.
   * @throws {HttpError} 400 when a request's id is already in use
   */
  receive(parsed: ReadMessage, caller: Caller): void {
    this.#session.touch();
    if (!isReadRequest(parsed)) return this.mcp.note(parsed.message, caller);
    if (this.mcp.isWorkingOn(parsed.message.id)) throw duplicateId();
    const problem = answerToWrongHandshake(parsed.message);
    if (parsed.message.method === 'initialize') this.#client = caller.client;
    if (problem === undefined) this.mcp.request(parsed, { ...caller, client: this.#client }, this);
    else this.settle(problem);
  }

  /** Ends the MCP session and the stream. At a shutdown, or when this process is cut off, the client is told when to reconnect. */
  onEnd(reason: EndReason): void {
    this.mcp.close();
    if (reason === 'shutdown' || reason === 'cut-off') this.#stream?.endForShutdown();
    else this.#stream?.end();
  }

  /** Called when a request has been answered, or never will be. */
  onSettled(): void {
    this.#session.noteSettled();
  }

  /** Sends the answer to a request; without one, the request was cancelled and nothing is sent. */
  settle(json?: string): void {
    if (json !== undefined) this.#stream?.sendText(json);
  }

  /** Answers a request that was abandoned. */
  abandon(id: RequestId, reason: AbandonReason): void {
    this.settle(spellAbandonment(id, reason));
  }

  /** The stream for messages that precede an answer: the session's one stream. */
  stream(): EventStream | undefined {
    return this.#stream;
  }

  /** Sends a message that belongs to no request of the client. */
  async send(message: JSONRPCMessage): Promise<void> {
    this.#stream?.send(message);
  }
}

/** The error response to an `initialize` request with invalid parameters; undefined for every other request. */
function answerToWrongHandshake(request: JSONRPCRequest): string | undefined {
  const error = request.method === 'initialize' ? initializeProblem(request) : undefined;
  return error && JSON.stringify({ jsonrpc: '2.0', id: request.id, error });
}

/** Loads the SDK's transport. It brings the older SDK with it, for which the start should not wait. */
const loadTransport = async () => {
  // The export is read here: in the build's joined file, the package runs only when one of its exports is read.
  const { SSEServerTransport } = await import('@modelcontextprotocol/sdk/server/sse.js');
  return { SSEServerTransport };
};

/** `GET /sse`: opens a session, which lives as long as its stream. */
function openStream({ definition, registry, streams, forwarding, origin }: SseParts): Handler {
  const messagesPath = `${basePathOf(origin.publicUrl)}/messages`;
  return async (ctx) => {
    const { SSEServerTransport } = await loadTransport();
    requireClient(ctx);
    const grant = grantOf(ctx);
    const response = new ResponseWithOurHead(ctx);
    // oxlint-disable-next-line no-unsafe-type-assertion -- it has all that the transport uses, which wants a whole response
    const transport = new SSEServerTransport(messagesPath, response as unknown as ServerResponse);
    const id = createSseId(forwarding, grant.user.userId);
    response.rename(transport.sessionId, id);
    const session = openSession(registry, {
      id,
      userId: grant.user.userId,
      kind: 'sse',
      connect: (opened) => new SseConnection(opened, definition),
    });
    ctx.state.sessionId = session.id;
    const release = session.holdStream();
    // oxlint-disable-next-line prefer-add-event-listener -- the SDK's transport has no addEventListener
    transport.onclose = () => {
      release();
      registry.end(session, 'closed');
    };
    await transport.start();
    session.connection.attach(streams.adopt(ctx.res, grant));
  };
}

/** `POST /messages`: takes one message; the answer is sent on the session's stream. */
function acceptMessage(parts: SseParts): Handler {
  return async (ctx) => {
    const body = await readRpcBody(ctx, parts.bodies);
    parts.stepUp?.(ctx, body.body);
    const delivery = { sessionId: requireSessionId(ctx), body, caller: senderOf(ctx, 'sse') };
    if (findConnection(parts.registry, delivery) !== undefined) deliver(parts, delivery);
    else if (!(await forwardMessage(parts.forwarding, delivery)))
      throw parts.registry.isDraining ? shuttingDown() : sessionNotFound();
    ctx.state.sessionId = delivery.sessionId;
    writeAnswer(ctx, 202, { text: 'Accepted', headers: ['Content-Type', 'text/plain; charset=utf-8'] });
  };
}

/**
 * Hands a message to the session whose stream this process has. A process that has forwarded the message answers its client with the same
 * refusal.
 * @throws {HttpError} 404 when this process has no such session; 400 for a batch, and for an invalid message
 */
function deliver({ registry }: SseParts, delivery: Delivery): void {
  const connection = findConnection(registry, delivery);
  if (connection === undefined) throw sessionNotFound();
  const { messages, isBatch } = parseMessages(delivery.body);
  const [parsed] = messages;
  const words = 'This transport takes one message at a time.';
  if (parsed === undefined || isBatch)
    throw new HttpError(400, 'invalid_request', words, { rpcCode: -32_600 });
  connection.receive(parsed, delivery.caller);
}

/** The connection of a session, if it is the caller's and its stream is here. */
function findConnection(
  registry: SessionRegistry,
  { sessionId, caller }: Delivery,
): SseConnection | undefined {
  const session = registry.find(sessionId, caller.user.userId, 'sse');
  return session?.connection instanceof SseConnection ? session.connection : undefined;
}

/**
 * The id of the session that a request names.
 * @throws {HttpError} 400 when it does not name exactly one
 */
function requireSessionId({ querystring }: RequestContext): string {
  const sessionId = sessionIdOf(querystring);
  if (sessionId !== undefined) return sessionId;
  const words = 'Name one session: POST to the address that the first event of GET /sse gave.';
  throw new HttpError(400, 'session_required', words);
}

/** The session id in a query string; undefined when there is none, or more than one. */
function sessionIdOf(query: string): string | undefined {
  // The form that the `endpoint` event has, which clients send back unchanged.
  const usual = /^sessionId=([\w-]+)$/.exec(query)?.[1];
  if (usual !== undefined) return usual;
  const [id = '', ...more] = new URLSearchParams(query).getAll('sessionId');
  return id === '' || more.length > 0 ? undefined : id;
}
