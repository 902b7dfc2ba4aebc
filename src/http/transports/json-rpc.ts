/** Validates JSON-RPC messages before the SDK sees them, and refuses all else with the error code of its fault. */
import {
  INVALID_PARAMS,
  INVALID_REQUEST,
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import type { CallLimit } from '../../mcp/call-limit.ts';
import { clientNameOf } from '../../mcp/call-records.ts';
import { readTrace } from '../../mcp/trace.ts';
import {
  isPlainMessage,
  MESSAGE_FIELDS,
  type PlainCall,
  type PlainQuestion,
  type ReadMessage,
  readPlainCall,
  readPlainQuestion,
} from '../../mcp/plain-call.ts';
import type { RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { requireSmallParts } from './body-bounds.ts';
import type { BodyLimits } from './body-bytes.ts';
import { readJsonBody } from './json-body.ts';
import { refuseRunaway } from './runaway.ts';

/** More messages than this in one batch are refused. */
const MAX_BATCH_LENGTH = 100;

/** A body, with the plain call or plain question (see `plain-call.ts`) that it is, if it is one. */
export interface RpcBody {
  readonly body: unknown;
  readonly call: PlainCall | undefined;
  readonly question?: PlainQuestion | undefined;
}

/** The bounds of bodies, and the limit of the calls in them. */
export interface RpcLimits extends BodyLimits {
  readonly callLimit: CallLimit;
}

/** Reads a body that should be JSON-RPC, and notes its request id, which every answer repeats, refusals too. */
export function readRpcBody(ctx: RequestContext, limits: RpcLimits): Promise<RpcBody> {
  return readJsonBody(ctx, limits).then((body) => {
    const call = readPlainCall(body);
    const id = call === undefined ? requestIdOf(body) : call.id;
    if (id !== undefined) ctx.state.rpcId = id;
    noteForLog(ctx, body, call);
    requireSmallParts(body);
    refuseRunaway(ctx, { body, call }, limits.callLimit);
    return { body, call, question: call === undefined ? readPlainQuestion(body) : undefined };
  });
}

/** The longest method that is logged: longer than any of the protocol. Characters. */
const MAX_METHOD_CHARS = 60;

/** Notes what the log says of a message: its method, its trace, and the name of its client if the message has it. */
function noteForLog({ state, req }: RequestContext, body: unknown, call: PlainCall | undefined): void {
  const { method, params } = isRecord(body) ? body : {};
  const { clientInfo, _meta: meta } = isRecord(params) ? params : {};
  const trace = readTrace(meta, req.headers);
  if (trace !== undefined) state.trace = trace;
  if (call !== undefined) {
    state.rpcMethod = 'tools/call';
    state.isCall = true;
  }
  // A plain call in a session does not name its client.
  if (call?.isStateless === false || typeof method !== 'string') return;
  if (call === undefined && /^[a-z/_]+$/i.test(method) && method.length <= MAX_METHOD_CHARS)
    state.rpcMethod = method;
  const said = isRecord(meta) ? (meta['io.modelcontextprotocol/clientInfo'] ?? clientInfo) : clientInfo;
  const client = clientNameOf(said);
  if (client !== undefined) state.client = client;
}

/** Whether a value is an object, whose members can be read. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The messages of a body, and whether they came as a batch. */
export interface ParsedBody {
  readonly messages: readonly ReadMessage[];
  readonly isBatch: boolean;
}

/**
 * Reads the messages of a parsed JSON body. That it is a plain call or a plain question has been found out before.
 * @throws {HttpError} 400 with -32600 for anything that is no JSON-RPC message
 */
export function parseMessages({ body, call, question }: RpcBody): ParsedBody {
  if (!Array.isArray(body)) return { messages: [parseMessage(body, call, question)], isBatch: false };
  if (body.length === 0) throw invalidRequest('A batch must not be empty.');
  if (body.length > MAX_BATCH_LENGTH)
    throw invalidRequest(`A batch must not have more than ${MAX_BATCH_LENGTH} messages.`);
  return { messages: body.map((value) => parseMessage(value, readPlainCall(value))), isBatch: true };
}

/** Whether a body is a plain call or question: its form has been checked, and the SDK's schema would find nothing wrong. */
function isPlain(_body: unknown, found: PlainCall | PlainQuestion | undefined): _body is JSONRPCRequest {
  return found !== undefined;
}

/** The refusal of a request whose id is that of another unanswered request: their answers could not be told apart. */
export function duplicateId(): HttpError {
  return new HttpError(400, 'duplicate_id', 'A request with this id is still being worked on.', {
    rpcCode: INVALID_REQUEST,
  });
}

/** The id of a body that is a single request; undefined for any other. */
function requestIdOf(body: unknown): string | number | undefined {
  if (typeof body !== 'object' || body === null || !('method' in body) || !('id' in body)) return undefined;
  const { id } = body;
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? id : undefined;
}

/** The error for an `initialize` request with invalid parameters, which the SDK would answer with an internal error; undefined for a valid one. */
export function initializeProblem(message: JSONRPCRequest): { code: number; message: string } | undefined {
  if (isInitializeRequest(message)) return undefined;
  const words =
    'Invalid params: initialize needs protocolVersion, capabilities and clientInfo with name and version.';
  return { code: INVALID_PARAMS, message: words };
}

/**
 * Reads one message.
 * @throws {HttpError} 400 that names the first fault
 */
function parseMessage(value: unknown, call: PlainCall | undefined, question?: PlainQuestion): ReadMessage {
  return { message: isPlain(value, call ?? question) ? value : requireMessage(value), call };
}

/**
 * Validates a message, and returns it.
 * @throws {HttpError} 400 that names the first fault
 */
function requireMessage(value: unknown): JSONRPCMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidRequest('A message must be a JSON object.');
  const { jsonrpc, id, method }: { jsonrpc?: unknown; id?: unknown; method?: unknown } = value;
  if (jsonrpc !== '2.0') throw invalidRequest('A message must have "jsonrpc": "2.0".');
  if (method === undefined) {
    if (isJSONRPCResponse(value)) return value;
    throw invalidRequest('A message must have a "method", or an "id" with either "result" or "error".');
  }
  if (typeof method !== 'string') throw invalidRequest('"method" must be a string.');
  if (!('id' in value)) {
    if (hasNotificationForm(value)) return value;
    throw wrongMembers(value);
  }
  // MCP forbids null as an id, and JSON-RPC fractions; an integer that is not safe could not be sent back as it came.
  if (typeof id !== 'string' && !Number.isSafeInteger(id))
    throw invalidRequest('"id" must be a string or a whole number.');
  if (hasRequestForm(value)) return value;
  throw wrongMembers(value);
}

/** Whether an object with a method and no id is a notification. */
function hasNotificationForm(value: object): value is JSONRPCNotification {
  return isPlainMessage(value) || isJSONRPCNotification(value);
}

/** Whether an object with a method and an id of the right types is a request. */
function hasRequestForm(value: object): value is JSONRPCRequest {
  return isPlainMessage(value) || isJSONRPCRequest(value);
}

/** The refusal of a message whose method and id are valid, and another member is not. */
function wrongMembers(message: object): HttpError {
  const other = Object.keys(message).some((name) => !MESSAGE_FIELDS.has(name));
  return invalidRequest(
    other
      ? 'A message with a "method" must have no members but "jsonrpc", "id", "method" and "params".'
      : '"params" must be an object, "_meta" in it an object, and "progressToken" in that a string or a whole number.',
  );
}

/** The refusal of a body that is JSON, but no JSON-RPC message. */
function invalidRequest(message: string): HttpError {
  return new HttpError(400, 'invalid_request', `Invalid request. ${message}`, { rpcCode: INVALID_REQUEST });
}
