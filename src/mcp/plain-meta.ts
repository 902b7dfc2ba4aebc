/** Recognizes the `_meta` of plain messages: whatever real clients put there that changes no answer, and nothing that is malformed. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import type { RequestId } from './messages.ts';

/** The revision whose requests stand alone. */
export const STATELESS_REVISION = '2026-07-28';

/** The fields of an object that may have any. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a plain message may say besides: where progress goes, and what is for others (`traceparent`, `claudecode/toolUseId`). */
export interface PlainMeta extends Fields {
  readonly progressToken?: RequestId;
}

/** Names that the protocol keeps for itself begin so. What one of them means is left to the SDK. */
const OF_THE_PROTOCOL = 'io.modelcontextprotocol/';

/** No `_meta`, or one without anything of the protocol's but the wish for progress. */
export function isSessionMeta(meta: unknown): meta is PlainMeta | undefined {
  if (meta === undefined) return true;
  if (!isObject(meta)) return false;
  for (const name in meta) if (name.startsWith(OF_THE_PROTOCOL)) return false;
  return hasPlainToken(meta);
}

/** The envelope of the stateless revision, in order: who sends it, what that client can do, and the same besides. */
export function isStatelessMeta(meta: unknown): meta is PlainMeta {
  if (!isObject(meta)) return false;
  const {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': info,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/logLevel': level,
  }: Envelope = meta;
  if (version !== STATELESS_REVISION) return false;
  for (const name in meta) if (name.startsWith(OF_THE_PROTOCOL) && !ENVELOPE.has(name)) return false;
  return (
    hasPlainToken(meta) &&
    isOptional(info, isClientInfo) &&
    isCapabilities(capabilities) &&
    isOptional(level, isLogLevel)
  );
}

/** Whether a value is an object, and has no other fields than these where they are given. */
export function isObject(value: unknown, fields?: ReadonlySet<string>): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (fields !== undefined) for (const field in value) if (!fields.has(field)) return false;
  return true;
}

/** Whether a value is a JSON-RPC id as MCP has it: null and fractions are none. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** What the envelope may name. */
const ENVELOPE_NAMES = [
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
] as const;
const ENVELOPE = new Set<string>(ENVELOPE_NAMES);

/** The same, for the compiler. Where it is read, names are spelled out: V8 finds those faster. */
type Envelope = Partial<Record<(typeof ENVELOPE_NAMES)[number], unknown>>;

const LOG_LEVELS = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/** Whether progress is asked for in order, or not at all. */
function hasPlainToken(meta: Fields): boolean {
  return isOptional(meta['progressToken'], isRequestId);
}

/** What a client says of itself. Icons, which hardly any sends, are left to the SDK. */
function isClientInfo(info: unknown): boolean {
  return (
    isObject(info) &&
    typeof info['name'] === 'string' &&
    typeof info['version'] === 'string' &&
    isOptional(info['title'], isText) &&
    isOptional(info['description'], isText) &&
    isOptional(info['websiteUrl'], isText) &&
    info['icons'] === undefined
  );
}

/**
 * What a client can do, whatever that is: it is asked for nothing on this way, since tools that ask go the other. Others than these
 * the SDK does not look at.
 */
function isCapabilities(capabilities: unknown): boolean {
  if (!isObject(capabilities)) return false;
  const { elicitation, sampling, roots, experimental, extensions } = capabilities;
  return (
    isOptional(elicitation, isElicitation) &&
    isOptional(sampling, isSampling) &&
    isOptional(roots, isRoots) &&
    isOptional(experimental, isObjectOfObjects) &&
    isOptional(extensions, isObjectOfObjects)
  );
}

/** How its user can be asked. */
function isElicitation(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { form, url } = value;
  const isForm = form === undefined || (isObject(form) && isOptional(form['applyDefaults'], isBoolean));
  return isForm && isOptional(url, isObject);
}

/** How its model can be asked. */
function isSampling(value: unknown): boolean {
  return isObject(value) && isOptional(value['context'], isObject) && isOptional(value['tools'], isObject);
}

/** Whether it has folders to show. */
function isRoots(value: unknown): boolean {
  return isObject(value) && isOptional(value['listChanged'], isBoolean);
}

/** Things with a name each. */
function isObjectOfObjects(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const name in value) if (!isObject(value[name])) return false;
  return true;
}

/** Whether a value is left out, or of a kind. JSON has no undefined. */
function isOptional(value: unknown, isOfKind: (value: unknown) => boolean): boolean {
  return value === undefined || isOfKind(value);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isLogLevel = (value: unknown): boolean => typeof value === 'string' && LOG_LEVELS.has(value);
