/** Recognizes the `_meta` of plain messages: everything that real clients put there and that changes no answer, and nothing malformed. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import type { RequestId } from './messages.ts';

/** The stateless revision: its requests stand alone, without a session. */
export const STATELESS_REVISION = '2026-07-28';

/** An object with any fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** The `_meta` of a plain message: the progress token, and fields that are for others (`traceparent`, `claudecode/toolUseId`). */
export interface PlainMeta extends Fields {
  readonly progressToken?: RequestId;
}

/** The prefix of names that are reserved for the protocol. What they mean is left to the SDK. */
const OF_THE_PROTOCOL = 'io.modelcontextprotocol/';

/** Whether `_meta` is absent, or has nothing of the protocol's but a progress token. */
export function isSessionMeta(meta: unknown): meta is PlainMeta | undefined {
  if (meta === undefined) return true;
  if (!isObject(meta)) return false;
  for (const name in meta) if (name.startsWith(OF_THE_PROTOCOL)) return false;
  return hasPlainToken(meta);
}

/**
 * Whether `_meta` is a valid envelope of the stateless revision: its version, client info, capabilities and log level, and besides them
 * nothing of the protocol's but a progress token.
 */
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

/** Whether a value is an object and no array; with `fields`, one that has no others. */
export function isObject(value: unknown, fields?: ReadonlySet<string>): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (fields !== undefined) for (const field in value) if (!fields.has(field)) return false;
  return true;
}

/** Whether a value is a request id of MCP: a string or an integer, but not null. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** The protocol's names that the envelope may contain. */
const ENVELOPE_NAMES = [
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
] as const;
const ENVELOPE = new Set<string>(ENVELOPE_NAMES);

/** The type of the envelope. `isStatelessMeta` reads it by literal names: V8 finds those faster. */
type Envelope = Partial<Record<(typeof ENVELOPE_NAMES)[number], unknown>>;

const LOG_LEVELS = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/** Whether the progress token is absent or valid. */
function hasPlainToken(meta: Fields): boolean {
  return isOptional(meta['progressToken'], isRequestId);
}

/** Whether a value is valid client info. Info with icons, which hardly any client sends, is left to the SDK. */
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
 * Whether a value is valid client capabilities. Which they are does not matter: the fast lane never asks the client for anything, since
 * tools that ask are left to the SDK. The SDK does not check other capabilities than these.
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

/** Whether the capability `elicitation` is valid. */
function isElicitation(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { form, url } = value;
  const isForm = form === undefined || (isObject(form) && isOptional(form['applyDefaults'], isBoolean));
  return isForm && isOptional(url, isObject);
}

/** Whether the capability `sampling` is valid. */
function isSampling(value: unknown): boolean {
  return isObject(value) && isOptional(value['context'], isObject) && isOptional(value['tools'], isObject);
}

/** Whether the capability `roots` is valid. */
function isRoots(value: unknown): boolean {
  return isObject(value) && isOptional(value['listChanged'], isBoolean);
}

/** Whether a value is an object whose members are all objects. */
function isObjectOfObjects(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const name in value) if (!isObject(value[name])) return false;
  return true;
}

/** Whether a value is absent, or passes the check. JSON has no undefined. */
function isOptional(value: unknown, isOfKind: (value: unknown) => boolean): boolean {
  return value === undefined || isOfKind(value);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isLogLevel = (value: unknown): boolean => typeof value === 'string' && LOG_LEVELS.has(value);
