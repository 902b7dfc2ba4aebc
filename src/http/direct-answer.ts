/** Answers of the routes that answer themselves, written straight on Node's response, past Koa, which must then leave the response alone. */
import type { ServerResponse } from 'node:http';
import type { RequestContext } from './context.ts';
import { SECURITY_HEADER_LIST } from './security-headers.ts';

/** What an answer says that is JSON; as all lists of headers here, names and values in turn. */
export const JSON_HEADERS: readonly string[] = ['Content-Type', 'application/json'];

/**
 * Writes the head of an answer, with what every answer carries. The caller says how it may be cached. In one list, because Node
 * keeps, merges and reads back what setHeader() is told: that is twice as dear.
 */
export function writeHead(ctx: RequestContext, status: number, headers: readonly string[]): void {
  ctx.respond = false;
  ctx.res.writeHead(status, [...SECURITY_HEADER_LIST, 'X-Request-Id', ctx.state.requestId, ...headers]);
}

/** What an answer is besides its status. */
export interface Answer {
  readonly text: string;
  readonly headers: readonly string[];
}

/** Writes a whole answer. */
export function writeAnswer(ctx: RequestContext, status: number, { text, headers }: Answer): void {
  const { bytes, encoding } = measure(text);
  writeHead(ctx, status, ['Cache-Control', 'no-store', 'Content-Length', String(bytes), ...headers]);
  if (bytes > LARGE_BYTES) ctx.res.end(Buffer.from(text, encoding));
  else endWithText(ctx.res, text, encoding);
}

/**
 * Ends a response with a text, in one piece. Node puts it behind the head, but end() with a text gathers that and an empty
 * end: without this, a call of `npm run bench -- --only streamable` costs 7 % more.
 */
function endWithText(res: ServerResponse, text: string, encoding: BufferEncoding): void {
  // Held back until the next tick, for more that might come; nothing will.
  res.write(text, encoding);
  res.socket?.uncork();
  res.end();
}

/** From this size on, copying a text costs more than anything that could be saved by it. Bytes. */
export const LARGE_BYTES = 64 * 1024;

/** How a text is to be written. Of one that is all ASCII, Node can copy the bytes instead of encoding the characters. */
export function measure(text: string): { readonly bytes: number; readonly encoding: 'latin1' | 'utf8' } {
  const bytes = Buffer.byteLength(text);
  return { bytes, encoding: bytes === text.length ? 'latin1' : 'utf8' };
}
