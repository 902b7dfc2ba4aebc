/** `/mcp`: Streamable HTTP. Sorts requests by revision: sessions for 2025-03-26 to 2025-11-25, stateless for 2026-07-28. */
import { randomUUID } from 'node:crypto';
import {
  classifyInboundRequest,
  type McpServer,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import { readSessionCall } from '../mcp/plain-call.ts';
import { createMcpServer, type McpDefinition } from '../mcp/server.ts';
import type { Session, SessionRegistry } from '../sessions/registry.ts';
import { acceptsEventStream, grantOf, type Handler, type RequestContext, type Route } from './context.ts';
import { HttpError, sessionNotFound } from './errors.ts';
import type { EventStreams } from './event-stream.ts';
import { initializeProblem, isRequest, type ParsedBody, parseMessages, readRpcBody } from './json-rpc.ts';
import { SessionDispatch } from './session-dispatch.ts';
import { openSession } from './session-opening.ts';
import type { StatelessEndpoint } from './stateless-endpoint.ts';
import { StreamableTransport } from './streamable-transport.ts';

/** What the endpoint is made from. */
export interface McpEndpointParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly streams: EventStreams;
  readonly stateless: StatelessEndpoint;
  readonly maxBodyBytes: number;
}

/** A session's two sides. */
interface Connection {
  readonly session: Session;
  readonly transport: StreamableTransport;
  readonly server: McpServer;
}

type Connections = WeakMap<Session, Connection>;

/** The route of the transport. */
export function createMcpRoute(parts: McpEndpointParts): Route {
  const connections: Connections = new WeakMap();
  return {
    path: '/mcp',
    protocol: 'mcp',
    methods: {
      POST: handlePost(parts, connections),
      GET: handleGet(parts, connections),
      DELETE: handleDelete(parts, connections),
    },
  };
}

/** `POST /mcp`: messages of either kind. */
function handlePost(parts: McpEndpointParts, connections: Connections): Handler {
  return async (ctx) => {
    const body = await readRpcBody(ctx, parts.maxBodyBytes);
    const plain = parts.stateless.handlePlain(ctx, body);
    if (plain !== undefined) return plain;
    const kind = classify(ctx, body);
    // Whose session it is comes before what is wrong with the message.
    const isNamed = kind !== 'modern' && ctx.get('mcp-session-id') !== '';
    const named = isNamed ? findConnection(parts, connections, ctx) : undefined;
    const parsed = parseMessages(body);
    if (kind !== 'legacy') return parts.stateless.handle(ctx, body);

    const connection = named ?? (await openConnection(parts, connections, ctx, parsed));
    if (connection.server.server.getNegotiatedProtocolVersion() !== undefined) requireSupportedVersion(ctx);
    refuseOutOfPlace(connection, parsed);
    ctx.respond = false;
    const { requestId } = ctx.state;
    connection.transport.handlePost({
      ...parsed,
      res: ctx.res,
      caller: { ...grantOf(ctx), transport: 'streamable-http', requestId },
      acceptsStream: acceptsEventStream(ctx),
    });
  };
}

/** `GET /mcp`: the session's own stream. */
function handleGet(parts: McpEndpointParts, connections: Connections): Handler {
  return (ctx) => {
    if (ctx.get('mcp-session-id') === '') {
      // 405, not 400: clients that try this first take it for "no stream here" and go on.
      const words = 'There is no stream without a session. POST an initialize request first, or use /sse.';
      throw new HttpError(405, 'method_not_allowed', words, { headers: { Allow: 'POST, DELETE' } });
    }
    const { transport } = findConnection(parts, connections, ctx);
    requireSupportedVersion(ctx);
    if (!acceptsEventStream(ctx)) {
      throw new HttpError(406, 'not_acceptable', 'This answers with text/event-stream; accept that.');
    }
    ctx.respond = false;
    transport.handleGet(ctx.res, grantOf(ctx));
  };
}

/** `DELETE /mcp`: the client is done with its session. */
function handleDelete(parts: McpEndpointParts, connections: Connections): Handler {
  return (ctx) => {
    if (ctx.get('mcp-session-id') === '') throw sessionRequired();
    const { session } = findConnection(parts, connections, ctx);
    requireSupportedVersion(ctx);
    parts.registry.end(session, 'closed');
    ctx.status = 200;
    ctx.body = '';
  };
}

/** Whether a body belongs to a session, to the stateless revision, or is one of the latter's errors. */
function classify(ctx: RequestContext, body: unknown): 'legacy' | 'modern' | 'reject' {
  const header = (name: string): string | undefined => ctx.get(name) || undefined;
  const [version, method, name] = [header('mcp-protocol-version'), header('mcp-method'), header('mcp-name')];
  // What the SDK would find out at greater length.
  const isOfSession = version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(version);
  if (isOfSession && readSessionCall(body) !== undefined) return 'legacy';
  const { kind } = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
  });
  return kind;
}

/** Opens a session for an `initialize` request, the only thing that may come without one. */
async function openConnection(
  { definition, registry, streams }: McpEndpointParts,
  connections: Connections,
  ctx: RequestContext,
  { messages, isBatch }: ParsedBody,
): Promise<Connection> {
  const [message] = messages;
  if (message === undefined || isBatch || !isRequest(message) || message.method !== 'initialize')
    throw sessionRequired();
  const problem = initializeProblem(message);
  if (problem !== undefined)
    throw new HttpError(400, 'invalid_params', problem.message, { rpcCode: problem.code });

  const session = openSession(registry, {
    id: randomUUID(),
    userId: grantOf(ctx).user.userId,
    kind: 'streamable-http',
    onEnd: (reason) => connections.get(session)?.transport.end({ comeBackLater: reason === 'shutdown' }),
  });
  const transport = new StreamableTransport(session, streams);
  const server = createMcpServer(definition, { session });
  transport.dispatch = new SessionDispatch({
    definition,
    server,
    send: (reply, options) => transport.send(reply, options),
    forward: (received, extra) => transport.onmessage?.(received, extra),
  });
  const connection = { session, transport, server };
  connections.set(session, connection);
  ctx.state.sessionId = session.id;
  await server.connect(transport);
  return connection;
}

/** The connection that the Mcp-Session-Id header names, if it is the caller's. */
function findConnection(
  { registry }: McpEndpointParts,
  connections: Connections,
  ctx: RequestContext,
): Connection {
  const session = registry.find(ctx.get('mcp-session-id'), grantOf(ctx).user.userId, 'streamable-http');
  const connection = session && connections.get(session);
  if (connection === undefined) throw sessionNotFound();
  ctx.state.sessionId = connection.session.id;
  return connection;
}

/** Refuses a revision that sessions do not speak; without the header the negotiated one counts. */
function requireSupportedVersion(ctx: RequestContext): void {
  const version = ctx.get('mcp-protocol-version');
  if (version === '' || SUPPORTED_PROTOCOL_VERSIONS.includes(version)) return;
  const words = `Unsupported MCP-Protocol-Version. Sessions speak ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}.`;
  throw new HttpError(400, 'unsupported_protocol_version', words);
}

/** The only revision with batches. */
const BATCH_REVISION = '2025-03-26';

/** Refuses a second `initialize`, and batches where the session's revision has none. */
function refuseOutOfPlace({ server }: Connection, { messages, isBatch }: ParsedBody): void {
  const version = server.server.getNegotiatedProtocolVersion();
  if (isBatch && version !== BATCH_REVISION) {
    throw new HttpError(
      400,
      'invalid_request',
      `Batches belong to ${BATCH_REVISION}; send one message at a time.`,
      { rpcCode: -32_600 },
    );
  }
  if (
    version !== undefined &&
    messages.some((message) => 'method' in message && message.method === 'initialize')
  ) {
    throw new HttpError(400, 'invalid_request', 'This session is initialized already.', { rpcCode: -32_600 });
  }
}

/** The answer to what needs a session and names none. */
function sessionRequired(): HttpError {
  return new HttpError(
    400,
    'session_required',
    'Send the Mcp-Session-Id header that the answer to initialize carried.',
  );
}
