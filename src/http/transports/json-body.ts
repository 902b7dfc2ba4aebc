/** Reads a JSON request body, once: media type, coding, size, encoding, syntax, depth, in that order. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parse as parseContentType } from 'content-type';
import type { RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';

/** JSON-RPC's code for what is not JSON. */
const PARSE_ERROR = -32_700;

/** Nothing sensible is nested deeper; what walks the value later may recurse. */
const MAX_DEPTH = 100;

/**
 * Reads and parses the body. Rejects with an {@link HttpError}: 413, or 400.
 * @throws {HttpError} 415
 */
export function readJsonBody(ctx: RequestContext, maxBytes: number): Promise<unknown> {
  requireJson(ctx);
  return readBytes(ctx.req, maxBytes).then(parseJson);
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

/** The body's bytes, if they are not too many: what comes beyond the limit is not kept. */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = Number(req.headers['content-length'] ?? 0) > maxBytes ? Infinity : 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else refuse();
    };
    const refuse = (): void => {
      // Who answers decides what becomes of the rest.
      req.off('data', take).pause();
      reject(tooLarge(maxBytes));
    };
    if (length > maxBytes) refuse();
    else req.on('data', take);
    req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)));
    // Node's own parser sees to it that the body is as long as was said; one that ends early never comes to its end. That is
    // an error too, but of those that are not emitted when nobody listens.
    req.on('close', () => {
      if (!req.readableEnded) reject(incomplete());
    });
  });
}

const EMPTY = Buffer.alloc(0);

/** The refusal of a body over the limit. */
function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'body_too_large', `The body must not be larger than ${maxBytes} bytes.`);
}

/** The refusal of a body whose client has gone before it was there. */
function incomplete(): HttpError {
  return new HttpError(400, 'incomplete_body', 'The body ended before it was complete.', {
    rpcCode: PARSE_ERROR,
  });
}

/** The value that the bytes spell. */
function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw parseError('The body is empty; send a JSON-RPC message.');
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
