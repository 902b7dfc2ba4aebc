/** Answers of the routes that answer themselves, written straight on Node's response, past Koa, which must then leave the response alone. */
import type { ServerResponse } from 'node:http';
import type { RequestContext } from './context.ts';
import { SECURITY_HEADER_LIST } from './security-headers.ts';

/** The headers of a JSON answer. Like all lists of headers here, it has names and values in turn. */
export const JSON_HEADERS: readonly string[] = ['Content-Type', 'application/json'];

/** The same outside of MCP, where the character set is named. */
export const JSON_HEADERS_WITH_CHARSET: readonly string[] = [
  'Content-Type',
  'application/json; charset=utf-8',
];

/**
 * Writes the head of an answer, with the headers that every answer has. The caller adds Cache-Control. All headers are in one list,
 * because Node stores, merges and reads back what setHeader() sets, which costs twice as much.
 */
export function writeHead(ctx: RequestContext, status: number, headers: readonly string[]): void {
  ctx.respond = false;
  ctx.res.writeHead(status, [...SECURITY_HEADER_LIST, 'X-Request-Id', ctx.state.requestId, ...headers]);
}

/** An answer without its status. */
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
 * Ends a response with a text, in one piece with its head. end(text) would do so too, but it collects the text and an empty end: a call of
 * `npm run bench -- --only streamable` would cost 7 % more.
 */
function endWithText(res: ServerResponse, text: string, encoding: BufferEncoding): void {
  // Node holds the text back until the next tick, in case more is written. Nothing more comes.
  res.write(text, encoding);
  res.socket?.uncork();
  res.end();
}

/** From this size on, copying a text costs more than it can save. Bytes. */
export const LARGE_BYTES = 64 * 1024;

/** Returns the length of a text in bytes, and its encoding. Node can copy a text that is all ASCII, instead of encoding its characters. */
export function measure(text: string): { readonly bytes: number; readonly encoding: 'latin1' | 'utf8' } {
  const bytes = Buffer.byteLength(text);
  return { bytes, encoding: bytes === text.length ? 'latin1' : 'utf8' };
}
