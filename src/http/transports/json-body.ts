/** Reads a JSON request body, once: media type, coding, size, encoding, syntax, depth, in that order. */
import { isAscii, isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { parse as parseContentType } from 'content-type';
import { grantOf, type RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { requireModestStructure } from './body-bounds.ts';
import { type BodyLimits, PARSE_ERROR, readBytes } from './body-bytes.ts';
import { LARGE_BODY_BYTES } from './upload-budget.ts';

/** Nothing sensible is nested deeper; what walks the value later may recurse. */
const MAX_DEPTH = 100;

/**
 * Reads and parses the body. Rejects with an {@link HttpError}: 413, 429, or 400.
 * @throws {HttpError} 415
 */
export function readJsonBody(ctx: RequestContext, limits: BodyLimits): Promise<unknown> {
  requireJson(ctx);
  return readBytes(ctx, limits).then((bytes) => {
    if (bytes.length < LARGE_BODY_BYTES) return parseJson(bytes);
    return takeTurn()
      .then(() => parseJson(bytes))
      .finally(() => limits.uploads.release(grantOf(ctx).user.userId, bytes.length));
  });
}

/** There is one thread, and so one queue for it. */
let lastTurn: Promise<unknown> = Promise.resolve();

/** Resolves when the event loop has come round since the large body before this one: in between, others are served. */
function takeTurn(): Promise<unknown> {
  lastTurn = lastTurn.then(() => setImmediate());
  return lastTurn;
}

/** Refuses what is not plain JSON in UTF-8 (RFC 8259, section 8.1). */
function requireJson(ctx: RequestContext): void {
  const { 'content-encoding': coding, 'content-type': contentType = '' } = ctx.req.headers;
  if (coding !== undefined && !/^(identity)?$/i.test(coding.trim())) {
    throw new HttpError(415, 'unsupported_encoding', 'Send the body without Content-Encoding.');
  }
  if (!isJsonInUtf8(contentType)) {
    throw new HttpError(415, 'unsupported_media_type', 'Send the body as application/json in UTF-8.');
  }
}

/** Whether a Content-Type says JSON in UTF-8. */
function isJsonInUtf8(contentType: string): boolean {
  // What nearly every client sends.
  if (contentType === 'application/json') return true;
  try {
    const { type, parameters } = parseContentType(contentType);
    const charset = parameters['charset']?.toLowerCase() ?? 'utf-8';
    return type === 'application/json' && ['utf-8', 'utf8', 'us-ascii'].includes(charset);
  } catch {
    return false;
  }
}

/** The value that the bytes spell. */
function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw parseError('The body is empty; send JSON.');
  requireModestStructure(bytes);
  const text = decode(bytes);
  if (text === undefined) throw parseError('The body is not UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw parseError('The body is not valid JSON.');
  }
  if (isDeeperThan(value, MAX_DEPTH)) throw parseError(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  return value;
}

/** The text that bytes of UTF-8 spell, without a byte order mark; undefined when they are something else. */
function decode(bytes: Buffer): string | undefined {
  // Two looks at the bytes and a copy are a fraction of what a decoder costs that tells errors.
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString().replace(/^\uFEFF/, '') : undefined;
}

/** Whether a value has objects or arrays inside one another more than `limit` times; so deep it goes itself, at the most. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (!isNested(value)) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) return value.some((member) => isDeeperThan(member, limit - 1));
  // Without a list of what it holds: most bodies are a few small objects.
  for (const name in value) if (isDeeperThan(value[name], limit - 1)) return true;
  return false;
}

/** Whether a value is an object or an array. */
function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A body that is no JSON. */
function parseError(message: string): HttpError {
  return new HttpError(400, 'parse_error', `Parse error. ${message}`, { rpcCode: PARSE_ERROR });
}
