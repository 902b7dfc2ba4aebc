/** Refuses requests that parts of a chain could read differently: odd targets and doubled headers. */
import type { IncomingMessage } from 'node:http';
import type { RequestContext, Step } from '../context.ts';
import { HttpError } from '../errors.ts';

/** Headers that decide something here. Node keeps the first or joins them; a proxy may keep the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'authorization',
  'x-api-key',
  'x-auth-token',
  'content-type',
  'content-encoding',
  'mcp-session-id',
  'mcp-protocol-version',
]);

/** Answers 400 to a target that is no path of this server, to a missing Host, and to a deciding header that is there twice. */
export const guardRequest: Step = (ctx, next) => {
  if (!ctx.url.startsWith('/')) ctx.url = pathOf(ctx.req);
  // RFC 9112, section 3.2. HTTP/1.0, which some health checks still speak, has none.
  if (ctx.req.headers.host === undefined && ctx.req.httpVersion === '1.1') {
    throw new HttpError(400, 'missing_host', 'Send the Host header.');
  }
  requireSingleHeaders(ctx.req);
  requirePlainTransfer(ctx);
  return next();
};

/**
 * The path of a target in absolute form, which every server has to take (RFC 9112, section 3.2.2).
 * @throws {HttpError} 400 when it is none, or names another server than Host does: parts of a chain would believe one or the other
 */
function pathOf({ url = '', headers: { host = '' } }: IncomingMessage): string {
  const [, authority, path = ''] = /^https?:\/\/([^/?#]+)(\/?.*)$/i.exec(url) ?? [];
  if (authority === undefined || authority.toLowerCase() !== host.toLowerCase()) {
    throw new HttpError(400, 'invalid_target', 'Ask for a path, such as GET /health.');
  }
  return path.startsWith('/') ? path : `/${path}`;
}

/** Refuses a transfer coding besides chunked (RFC 9112, section 6.1): what it codes would be taken for the body as it is. */
function requirePlainTransfer({ req, res }: RequestContext): void {
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined || coding.toLowerCase() === 'chunked') return;
  // What follows on this connection may be framed in another way than it is read here.
  res.shouldKeepAlive = false;
  throw new HttpError(
    400,
    'unsupported_transfer_coding',
    'Send the body with Content-Length, or plainly chunked.',
  );
}

/** Refuses a deciding header that is there twice. */
function requireSingleHeaders({ headers, rawHeaders }: IncomingMessage): void {
  // Node has a name once, however often it came.
  if (Object.keys(headers).length * 2 === rawHeaders.length) return;
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new HttpError(400, 'doubled_header', `Send the header ${name} once.`);
    seen.add(name);
  }
}
