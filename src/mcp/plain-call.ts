/** Recognizes a plain `tools/call`: a name and arguments, and nothing else that could mean something to the protocol. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import type { ProgressToken } from './call-tool.ts';

/** What a plain call asks for. */
export interface PlainCall {
  readonly id: string | number;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly progressToken: ProgressToken | undefined;
}

/** The call that a message of the revisions with sessions makes, if it is plain. */
export function readSessionCall(message: unknown): PlainCall | undefined {
  return readCall(message, isSessionMeta);
}

/** The call that a message of the stateless revision makes, if it is plain and wants no progress. */
export function readStatelessCall(message: unknown): PlainCall | undefined {
  return readCall(message, isStatelessMeta);
}

/** The revision whose requests stand alone. */
export const STATELESS_REVISION = '2026-07-28';

type Fields = Readonly<Record<string, unknown>>;

const MESSAGE_FIELDS = new Set(['jsonrpc', 'id', 'method', 'params']);
const PARAMS_FIELDS = new Set(['name', 'arguments', '_meta']);
const SESSION_META_FIELDS = new Set(['progressToken']);
const STATELESS_META_FIELDS = new Set<string>([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
]);
const CLIENT_INFO_FIELDS = new Set(['name', 'version']);

/** Reads a call; anything out of the ordinary, right or wrong, is left to the SDK. */
function readCall(message: unknown, isPlainMeta: (meta: unknown) => boolean): PlainCall | undefined {
  if (!isObject(message, MESSAGE_FIELDS)) return undefined;
  const { jsonrpc, id, method, params } = message;
  if (method !== 'tools/call' || jsonrpc !== '2.0' || !isId(id)) return undefined;
  if (!isObject(params, PARAMS_FIELDS)) return undefined;
  const { name, arguments: input, _meta: meta } = params;
  if (typeof name !== 'string' || (input !== undefined && !isObject(input))) return undefined;
  if (!isPlainMeta(meta)) return undefined;
  const progressToken = isObject(meta) && isId(meta['progressToken']) ? meta['progressToken'] : undefined;
  return { id, name, input, progressToken };
}

/** No `_meta`, or one that asks for progress at the most. */
function isSessionMeta(meta: unknown): boolean {
  if (meta === undefined) return true;
  return isObject(meta, SESSION_META_FIELDS) && (!('progressToken' in meta) || isId(meta['progressToken']));
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

const NO_FIELDS: ReadonlySet<string> = new Set();

/** Whether a value is a JSON-RPC id, or a progress token, which has the same form. */
function isId(value: unknown): value is string | number {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Whether a value is an object that has no other fields than these. */
function isObject(value: unknown, fields?: ReadonlySet<string>): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (fields !== undefined) for (const field in value) if (!fields.has(field)) return false;
  return true;
}
