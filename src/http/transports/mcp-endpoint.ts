/** `/mcp`: Streamable HTTP. Sorts requests by revision: sessions for 2025-03-26 to 2025-11-25, stateless for 2026-07-28. */
import { classifyInboundRequest, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { isRequest } from '../../mcp/messages.ts';
import { hasNoEnvelope, isMethodRepeatedIn, isRepeatedIn } from '../../mcp/plain-call.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import type { EventStore } from '../../sessions/event-store.ts';
import type { SessionRegistry } from '../../sessions/registry.ts';
import type { SessionIds } from '../../sessions/session-ids.ts';
import { acceptsEventStream, type Handler, MCP_ROUTE, type RequestContext, type Route } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';
import { HttpError, requireClient, shuttingDown } from '../errors.ts';
import type { EventStreams } from './event-streams.ts';
import {
  initializeProblem,
  type ParsedBody,
  parseMessages,
  readRpcBody,
  type RpcBody,
  type RpcLimits,
} from './json-rpc.ts';
import type { PeerSessions } from './peer-sessions.ts';
import { beginSession, findSession } from './session-finding.ts';
import { needsNoSession, serveWithoutSession } from './sessionless.ts';
import type { StatelessEndpoint } from './stateless-endpoint.ts';
import type { StepUp } from './step-up.ts';
import type { StreamableTransport } from './streamable-transport.ts';

/** What the endpoint is made from. */
export interface McpEndpointParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly sessionIds: SessionIds;
  readonly peerSessions: PeerSessions;
  readonly streams: EventStreams;
  /** Keeps the events of streams, for clients that resume them. */
  readonly store: EventStore;
  readonly stateless: StatelessEndpoint;
  readonly bodies: RpcLimits;
  readonly stepUp?: StepUp | undefined;
}

/** The route of the transport. */
export function createMcpRoute(parts: McpEndpointParts): Route {
  return {
    path: '/mcp',
    ...MCP_ROUTE,
    methods: {
      POST: handlePost(parts),
      GET: handleGet(parts),
      DELETE: handleDelete(parts),
    },
  };
}

/** `POST /mcp`: takes messages of sessions and of the stateless revision. */
function handlePost(parts: McpEndpointParts): Handler {
  return async (ctx) => {
    const body = await readRpcBody(ctx, parts.bodies);
    parts.stepUp?.(ctx, body.body);
    const kind = classify(ctx, body);
    // The session is checked before the message: a request that names an unknown one is answered 404, whatever its message is.
    const isNamed = kind !== 'modern' && given(ctx.req.headers['mcp-session-id']) !== undefined;
    const named = isNamed ? await findTransport(parts, ctx) : undefined;
    const parsed = parseMessages(body);
    // The client may have gone while its body waited for its turn to be parsed. A message to a session counts all the same.
    if (kind !== 'legacy' || named === undefined) requireClient(ctx);
    if (kind !== 'legacy') return parts.stateless.handle(ctx, body);

    // By the revision 2025-06-18, a request without this header is of 2025-03-26, which does not have it.
    const revision = given(ctx.req.headers['mcp-protocol-version']) ?? BATCH_REVISION;
    if (named === undefined && needsNoSession(parsed, revision === BATCH_REVISION)) {
      requireSupportedVersion(ctx);
      return serveWithoutSession(parts, ctx, parsed);
    }
    const transport = named ?? (await openTransport(parts, ctx, parsed));
    if (transport.mcp.protocolVersion !== undefined) requireSupportedVersion(ctx);
    refuseOutOfPlace(transport, parsed);
    const meantForOthers = named && parts.peerSessions.passOn(named, parsed.messages, ctx);
    if (meantForOthers !== undefined) await meantForOthers;
    transport.handlePost(ctx, parsed);
  };
}

/** `GET /mcp`: opens the session's own stream, or resumes one that broke. */
function handleGet(parts: McpEndpointParts): Handler {
  return async (ctx) => {
    if (given(ctx.req.headers['mcp-session-id']) === undefined) {
      // 405, not 400: clients that try this first take it for "no stream here" and go on.
      const words = 'There is no stream without a session. POST an initialize request first.';
      throw new HttpError(405, 'method_not_allowed', words, { headers: { Allow: 'POST, DELETE' } });
    }
    const transport = await findTransport(parts, ctx);
    if (parts.registry.isDraining) throw shuttingDown();
    requireSupportedVersion(ctx);
    if (!acceptsEventStream(ctx)) {
      throw new HttpError(
        406,
        'not_acceptable',
        'The answer is text/event-stream. Send an Accept header that allows it.',
      );
    }
    requireClient(ctx);
    const before = transport.streamName;
    await transport.handleGet(ctx, given(ctx.req.headers['last-event-id']));
    if (parts.registry.isDraining) sendAway(parts, transport);
    const name = transport.streamName;
    if (name !== undefined && name !== before) await parts.peerSessions.claimStream(transport.session, name);
  };
}

/** Ends a stream that was opened after a shutdown had ended the open ones: the shutdown began while other processes were asked for it. */
function sendAway({ registry, streams, store }: McpEndpointParts, transport: StreamableTransport): void {
  store.dismiss(streams.comeBackAfterMs);
  // A session with requests in flight ends when those are done.
  if (transport.callsInFlight === 0) registry.end(transport.session, 'shutdown');
}

/** `DELETE /mcp`: ends the session, in every process. */
function handleDelete(parts: McpEndpointParts): Handler {
  return async (ctx) => {
    if (given(ctx.req.headers['mcp-session-id']) === undefined) throw sessionRequired();
    const { session } = await findTransport(parts, ctx);
    requireSupportedVersion(ctx);
    parts.registry.end(session, 'closed');
    await parts.peerSessions.end(session);
    writeAnswer(ctx, 200, { text: '', headers: [] });
  };
}

/** The kind of a body: `legacy` belongs to a session, `modern` to the stateless revision; `reject` is an error of the latter. */
function classify(ctx: RequestContext, { body, call, question }: RpcBody): 'legacy' | 'modern' | 'reject' {
  const version = given(ctx.req.headers['mcp-protocol-version']);
  const method = given(ctx.req.headers['mcp-method']);
  const name = given(ctx.req.headers['mcp-name']);
  // Shortcuts for the usual requests: the SDK's classification comes to the same result, at a higher cost.
  const isOfSession = version === undefined || SESSION_REVISIONS.has(version);
  if (isOfSession && (call?.isStateless === false || hasNoEnvelope(body))) return 'legacy';
  const { headers } = ctx.req;
  if (question !== undefined && isMethodRepeatedIn(headers, question.method)) return 'modern';
  if (call !== undefined && name !== undefined && isRepeatedIn(headers, call)) return 'modern';
  const { kind } = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
  });
  return kind;
}

/** A header's value; undefined when it is empty, or not there. Callers look it up by a literal name, which is faster in V8. */
function given(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The revisions that sessions speak. */
const SESSION_REVISIONS: ReadonlySet<string> = new Set(SUPPORTED_PROTOCOL_VERSIONS);

/**
 * Opens a session for an `initialize` request.
 * @throws {HttpError} 400 for any other message, and for invalid parameters; as {@link beginSession} does
 */
async function openTransport(
  parts: McpEndpointParts,
  ctx: RequestContext,
  { messages, isBatch }: ParsedBody,
): Promise<StreamableTransport> {
  const message = messages[0]?.message;
  if (message === undefined || isBatch || !isRequest(message) || message.method !== 'initialize')
    throw sessionRequired();
  const problem = initializeProblem(message);
  if (problem !== undefined)
    throw new HttpError(400, 'invalid_params', problem.message, { rpcCode: problem.code });

  return beginSession(parts, ctx, message);
}

/** The transport of the session that the Mcp-Session-Id header names, if it is the caller's. */
function findTransport(
  parts: McpEndpointParts,
  ctx: RequestContext,
): StreamableTransport | Promise<StreamableTransport> {
  return findSession(parts, ctx, given(ctx.req.headers['mcp-session-id']) ?? '');
}

/** Refuses a revision that sessions do not speak; without the header the negotiated one counts. */
function requireSupportedVersion(ctx: RequestContext): void {
  const version = given(ctx.req.headers['mcp-protocol-version']);
  if (version === undefined || SESSION_REVISIONS.has(version)) return;
  const words = `Unsupported MCP-Protocol-Version. Sessions speak ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}.`;
  throw new HttpError(400, 'unsupported_protocol_version', words);
}

/** The only revision with batches. The MCP-Protocol-Version header came later. */
const BATCH_REVISION = '2025-03-26';

/** Refuses a second `initialize`, and batches where the session's revision has none. */
function refuseOutOfPlace({ mcp }: StreamableTransport, { messages, isBatch }: ParsedBody): void {
  const version = mcp.protocolVersion;
  if (isBatch && version !== BATCH_REVISION) {
    throw new HttpError(
      400,
      'invalid_request',
      `Only sessions of ${BATCH_REVISION} take batches; send one message at a time.`,
      { rpcCode: -32_600 },
    );
  }
  if (
    version !== undefined &&
    messages.some(({ message }) => 'method' in message && message.method === 'initialize')
  ) {
    throw new HttpError(400, 'invalid_request', 'This session is initialized already.', { rpcCode: -32_600 });
  }
}

/** The answer to a request that needs a session and names none. */
function sessionRequired(): HttpError {
  return new HttpError(
    400,
    'session_required',
    'This needs a session: send the Mcp-Session-Id header that the answer to initialize carried.',
  );
}
