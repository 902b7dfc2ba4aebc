/** Recognizes what is plain: a message, above all a `tools/call`, with nothing else that could mean something to the protocol. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type JSONRPCMessage,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import { isRequest, type RequestId } from './messages.ts';

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

/** The revision whose requests stand alone. */
export const STATELESS_REVISION = '2026-07-28';

/** The call that a message makes, if it is plain; anything out of the ordinary, right or wrong, is left to the SDK. */
export function readPlainCall(message: unknown): PlainCall | undefined {
  if (!isObject(message, MESSAGE_FIELDS)) return undefined;
  const { jsonrpc, id, method, params } = message;
  if (method !== 'tools/call' || jsonrpc !== '2.0' || !isRequestId(id)) return undefined;
  if (!isObject(params, PARAMS_FIELDS)) return undefined;
  const { name, arguments: input, _meta: meta } = params;
  if (typeof name !== 'string' || (input !== undefined && !isObject(input))) return undefined;
  if (isSessionMeta(meta)) return { id, name, input, progressToken: meta?.progressToken, isStateless: false };
  return isStatelessMeta(meta) ? { id, name, input, progressToken: undefined, isStateless: true } : undefined;
}

/** Whether a request without parameters of its own is plain: it may ask for progress, which it is answered before. */
export function hasPlainParams(params: unknown): boolean {
  return params === undefined || (isObject(params, META_ONLY) && isSessionMeta(params['_meta']));
}

/** Whether a message has nothing that could be wrong but its method and what its parameters hold: no odd field, no `_meta`. */
export function isPlainMessage(message: unknown): boolean {
  return isObject(message, MESSAGE_FIELDS) && hasNoMeta(message['params']);
}

/** Whether a body is a message that cannot carry the envelope of the stateless revision. */
export function hasNoEnvelope(body: unknown): boolean {
  return isObject(body) && hasNoMeta(body['params']);
}

/** Whether a call stands alone and the headers repeat what it says, as its revision demands. */
export function isRepeatedIn(headers: RequestHeaders, { isStateless, name }: PlainCall): boolean {
  return (
    isStateless &&
    headers['mcp-protocol-version'] === STATELESS_REVISION &&
    headers['mcp-method'] === 'tools/call' &&
    headers['mcp-name'] === name
  );
}

/** A request's headers. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether parameters are left out, or an object without `_meta`. */
function hasNoMeta(params: unknown): boolean {
  return params === undefined || (isObject(params) && !('_meta' in params));
}

type Fields = Readonly<Record<string, unknown>>;

const MESSAGE_FIELDS = new Set(['jsonrpc', 'id', 'method', 'params']);
const PARAMS_FIELDS = new Set(['name', 'arguments', '_meta']);
const META_ONLY = new Set(['_meta']);
const SESSION_META_FIELDS = new Set(['progressToken']);
const STATELESS_META_FIELDS = new Set<string>([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
]);
const CLIENT_INFO_FIELDS = new Set(['name', 'version']);
const NO_FIELDS: ReadonlySet<string> = new Set();

/** No `_meta`, or one that asks for progress at the most. */
function isSessionMeta(meta: unknown): meta is { readonly progressToken?: RequestId } | undefined {
  if (meta === undefined) return true;
  return (
    isObject(meta, SESSION_META_FIELDS) && (!('progressToken' in meta) || isRequestId(meta['progressToken']))
  );
}

/** The envelope of a client that declares nothing special. */
function isStatelessMeta(meta: unknown): boolean {
  if (!isObject(meta, STATELESS_META_FIELDS)) return false;
  const info = meta[CLIENT_INFO_META_KEY];
  const capabilities = meta[CLIENT_CAPABILITIES_META_KEY];
  return (
    meta[PROTOCOL_VERSION_META_KEY] === STATELESS_REVISION &&
    isObject(info, CLIENT_INFO_FIELDS) &&
    typeof info['name'] === 'string' &&
    typeof info['version'] === 'string' &&
    isObject(capabilities, NO_FIELDS)
  );
}

/** Whether a value is a JSON-RPC id as MCP has it: null and fractions are none. */
function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Whether a value is an object that has no other fields than these. */
function isObject(value: unknown, fields?: ReadonlySet<string>): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (fields !== undefined) for (const field in value) if (!fields.has(field)) return false;
  return true;
}
