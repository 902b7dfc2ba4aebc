/** Reads a JSON request body, once: media type, coding, size, encoding, syntax, depth, in that order. */
import { parse as parseContentType } from 'content-type';
import getRawBody from 'raw-body';
import type { RequestContext } from './context.ts';
import { HttpError } from './errors.ts';

/** JSON-RPC's code for what is not JSON. */
const PARSE_ERROR = -32_700;

/** Nothing sensible is nested deeper; what walks the value later may recurse. */
const MAX_DEPTH = 100;

/**
 * Reads and parses the body.
 * @throws {HttpError} 415, 413, or 400
 */
export async function readJsonBody(ctx: RequestContext, maxBytes: number): Promise<unknown> {
  requireJson(ctx);
  const bytes = await readBytes(ctx, maxBytes);
  const body = parseJson(bytes);
  if (isDeeperThan(body, MAX_DEPTH)) throw parseError(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  return body;
}

/** Refuses what is not plain JSON in UTF-8 (RFC 8259, section 8.1). */
function requireJson(ctx: RequestContext): void {
  const coding = ctx.get('content-encoding').trim().toLowerCase();
  if (coding !== '' && coding !== 'identity') {
    throw new HttpError(415, 'unsupported_encoding', 'Send the body without Content-Encoding.');
  }
  if (!isJsonInUtf8(ctx.get('content-type'))) {
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

/** The body's bytes, if they are not too many. */
async function readBytes(ctx: RequestContext, maxBytes: number): Promise<Buffer> {
  try {
    return await getRawBody(ctx.req, { length: ctx.get('content-length') || null, limit: maxBytes });
  } catch (error) {
    const type = error instanceof Error && 'type' in error ? error.type : undefined;
    if (type === 'entity.too.large') {
      throw new HttpError(413, 'body_too_large', `The body must not be larger than ${maxBytes} bytes.`);
    }
    throw new HttpError(400, 'incomplete_body', 'The body ended before it was complete.', {
      rpcCode: PARSE_ERROR,
      cause: error,
    });
  }
}

/** The value that the bytes spell. */
function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw parseError('The body is empty; send a JSON-RPC message.');
  let text;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw parseError('The body is not UTF-8.');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw parseError('The body is not valid JSON.');
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Whether a value has objects or arrays inside one another more than `limit` times. Walks without recursion. */
function isDeeperThan(root: unknown, limit: number): boolean {
  let level = [root].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= limit) return true;
    level = level.flatMap((container) => Object.values(container)).filter(isContainer);
  }
  return false;
}

/** Whether a JSON value can hold others. */
function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A body that is no JSON. */
function parseError(message: string): HttpError {
  return new HttpError(400, 'parse_error', `Parse error. ${message}`, { rpcCode: PARSE_ERROR });
}
