/** Recognizes what is plain: a message, above all a `tools/call`, with nothing else that could mean something to the protocol. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import { isRequest, type RequestId } from './messages.ts';
import { isObject, isRequestId, isSessionMeta, isStatelessMeta, STATELESS_REVISION } from './plain-meta.ts';

/** What a request or a notification may have; the SDK refuses one with more. */
export const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** What a plain call asks for. */
export interface PlainCall {
  readonly id: RequestId;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly progressToken: RequestId | undefined;
  /** Whether it carries the envelope of the revision whose requests stand alone. */
  readonly isStateless: boolean;
}

/** A message, and the call that it makes, where it is a plain one: looked for once, when the body is read. */
export interface ReadMessage<Message extends JSONRPCMessage = JSONRPCMessage> {
  readonly message: Message;
  readonly call: PlainCall | undefined;
}

/** Whether a message that has been read is a request. */
export function isReadRequest(read: ReadMessage): read is ReadMessage<JSONRPCRequest> {
  return isRequest(read.message);
}

/** A request that stands alone and asks what there is: its answer depends on nothing but what its user may see. */
export interface PlainQuestion {
  readonly id: RequestId;
  readonly method: string;
}

/** The call that a message makes, if it is plain; anything out of the ordinary, right or wrong, is left to the SDK. */
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

/** The question that a message asks, if it is plain and stands alone. */
export function readPlainQuestion(message: unknown): PlainQuestion | undefined {
  if (!isObject(message, MESSAGE_FIELDS)) return undefined;
  const { jsonrpc, id, method, params } = message;
  if (typeof method !== 'string' || !QUESTIONS.has(method)) return undefined;
  if (jsonrpc !== '2.0' || !isRequestId(id) || !isObject(params, META_ONLY)) return undefined;
  return isStatelessMeta(params['_meta']) ? { id, method } : undefined;
}

/** Whether a request without parameters of its own is plain: it may ask for progress, which it is answered before. */
export function hasPlainParams(params: unknown): boolean {
  return params === undefined || (isObject(params, META_ONLY) && isSessionMeta(params['_meta']));
}

/** Whether a message has nothing that could be wrong but its method and what its parameters hold: no odd field, no odd `_meta`. */
export function isPlainMessage(message: unknown): boolean {
  return isObject(message, MESSAGE_FIELDS) && hasSessionMeta(message['params']);
}

/** Whether a body is a message that cannot carry the envelope of the stateless revision. */
export function hasNoEnvelope(body: unknown): boolean {
  return isObject(body) && hasSessionMeta(body['params']);
}

/** Whether a call stands alone and the headers repeat what it says, as its revision demands. */
export function isRepeatedIn(headers: RequestHeaders, { isStateless, name }: PlainCall): boolean {
  return isStateless && headers['mcp-name'] === name && isMethodRepeatedIn(headers, 'tools/call');
}

/** Whether the headers repeat the revision and the method of a request that stands alone. */
export function isMethodRepeatedIn(headers: RequestHeaders, method: string): boolean {
  return headers['mcp-protocol-version'] === STATELESS_REVISION && headers['mcp-method'] === method;
}

/** A request's headers. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether parameters are left out, or an object whose `_meta` is plain. */
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
