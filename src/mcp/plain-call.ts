/** Recognizes plain messages, above all a `tools/call`: nothing else in them could mean something to the protocol. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import { isRequest, type RequestId } from './messages.ts';
import { isObject, isRequestId, isSessionMeta, isStatelessMeta, STATELESS_REVISION } from './plain-meta.ts';

/** The fields that a request or a notification may have; the SDK refuses a message with others. */
export const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** A plain `tools/call`. */
export interface PlainCall {
  readonly id: RequestId;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly progressToken: RequestId | undefined;
  /** Whether it carries the envelope of the stateless revision. */
  readonly isStateless: boolean;
}

/** A message, and the call that it makes, if that is a plain one. It is parsed once, when the body is read. */
export interface ReadMessage<Message extends JSONRPCMessage = JSONRPCMessage> {
  readonly message: Message;
  readonly call: PlainCall | undefined;
}

/** Whether a message that has been read is a request. */
export function isReadRequest(read: ReadMessage): read is ReadMessage<JSONRPCRequest> {
  return isRequest(read.message);
}

/** A request of the stateless revision that asks what there is: its answer depends only on what its user may see. */
export interface PlainQuestion {
  readonly id: RequestId;
  readonly method: string;
}

/** Returns the call that a message makes, if it is plain; anything out of the ordinary, valid or not, is left to the SDK. */
export function readPlainCall(message: unknown): PlainCall | undefined {
  if (!isObject(message, MESSAGE_FIELDS)) return undefined;
  const { jsonrpc, id, method, params } = message;
  if (method !== 'tools/call' || jsonrpc !== '2.0' || !isRequestId(id)) return undefined;
  if (!isObject(params, PARAMS_FIELDS)) return undefined;
  const { name, arguments: input, _meta: meta } = params;
  if (typeof name !== 'string' || (input !== undefined && !isObject(input))) return undefined;
  if (isSessionMeta(meta)) return { id, name, input, progressToken: meta?.progressToken, isStateless: false };
  return isStatelessMeta(meta)
    ? { id, name, input, progressToken: meta.progressToken, isStateless: true }
    : undefined;
}

/** Returns the question that a message asks, if it is plain and of the stateless revision. */
export function readPlainQuestion(message: unknown): PlainQuestion | undefined {
  if (!isObject(message, MESSAGE_FIELDS)) return undefined;
  const { jsonrpc, id, method, params } = message;
  if (typeof method !== 'string' || !QUESTIONS.has(method)) return undefined;
  if (jsonrpc !== '2.0' || !isRequestId(id) || !isObject(params, META_ONLY)) return undefined;
  return isStatelessMeta(params['_meta']) ? { id, method } : undefined;
}

/** Whether the parameters of a request that needs none are plain. They may ask for progress, but the answer comes before there is any. */
export function hasPlainParams(params: unknown): boolean {
  return params === undefined || (isObject(params, META_ONLY) && isSessionMeta(params['_meta']));
}

/** Whether a message has no unknown field and a plain `_meta`, so that only its method and the contents of its parameters can be wrong. */
export function isPlainMessage(message: unknown): boolean {
  return isObject(message, MESSAGE_FIELDS) && hasSessionMeta(message['params']);
}

/** Whether a body is a message that cannot carry the envelope of the stateless revision. */
export function hasNoEnvelope(body: unknown): boolean {
  return isObject(body) && hasSessionMeta(body['params']);
}

/** Whether a call is of the stateless revision, and the headers repeat what it says, as that revision requires. */
export function isRepeatedIn(headers: RequestHeaders, { isStateless, name }: PlainCall): boolean {
  return isStateless && headers['mcp-name'] === name && isMethodRepeatedIn(headers, 'tools/call');
}

/** Whether the headers repeat the revision and the method of a stateless request. */
export function isMethodRepeatedIn(headers: RequestHeaders, method: string): boolean {
  return headers['mcp-protocol-version'] === STATELESS_REVISION && headers['mcp-method'] === method;
}

/** A request's headers. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether parameters are absent, or an object whose `_meta` is plain. */
function hasSessionMeta(params: unknown): boolean {
  return params === undefined || (isObject(params) && isSessionMeta(params['_meta']));
}

const PARAMS_FIELDS = new Set(['name', 'arguments', '_meta']);
const META_ONLY = new Set(['_meta']);
const QUESTIONS = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);
