/** Reads a JSON request body, once: media type, coding, size, encoding, syntax, depth, in that order. */
import { isAscii, isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { parse as parseContentType } from 'content-type';
import { grantOf, type RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { requireModestStructure } from './body-bounds.ts';
import { type BodyLimits, PARSE_ERROR, readBytes } from './body-bytes.ts';
import { LARGE_BODY_BYTES } from './upload-budget.ts';

/** The deepest nesting of a body: no sensible one is deeper, and code that walks the value later may recurse. */
const MAX_DEPTH = 100;

/**
 * Reads and parses the body. Rejects with an {@link HttpError}: 413, 429, or 400.
 * @throws {HttpError} 415, at once, when the headers do not say plain JSON in UTF-8
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

/** The turn of the latest large body: there is one thread, and so one queue for it. */
let lastTurn: Promise<unknown> = Promise.resolve();

/** Resolves one round of the event loop after the large body before this one: other requests are served in between. */
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

/**
 * Parses the bytes of a body.
 * @throws {HttpError} 400 when they are no JSON in UTF-8, or have too many values or levels
 */
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

/** Decodes UTF-8, without a byte order mark; undefined when the bytes are no UTF-8. */
function decode(bytes: Buffer): string | undefined {
  // Two checks of the bytes and a copy cost a fraction of a decoder that detects errors.
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString().replace(/^\uFEFF/, '') : undefined;
}

/** Whether objects and arrays are nested deeper than `limit` levels. It recurses no deeper than that itself. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (!isNested(value)) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) return value.some((member) => isDeeperThan(member, limit - 1));
  // Without a list of the members, which `Object.values` would make: most bodies are a few small objects.
  for (const name in value) if (isDeeperThan(value[name], limit - 1)) return true;
  return false;
}

/** Whether a value is an object or an array. */
function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The refusal of a body that is no JSON. */
function parseError(message: string): HttpError {
  return new HttpError(400, 'parse_error', `Parse error. ${message}`, { rpcCode: PARSE_ERROR });
}
