/** Refuses requests that a proxy and this server could read differently: odd targets, duplicate headers, unusual transfer codings. */
import type { IncomingMessage } from 'node:http';
import type { RequestContext, Step } from '../context.ts';
import { HttpError } from '../errors.ts';

/** The headers that must not be there twice, as they decide something here. Node keeps the first or joins them; a proxy may keep the last. */
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

/**
 * Replaces a target in absolute form, which every server must accept (RFC 9112, section 3.2.2), by its path, if Host names the same server:
 * otherwise a proxy could go by the one and this server by the other. A target that is not one of this server becomes `*`, which
 * `guardRequest` refuses. To be called before anything else reads the target, since parsing some targets throws.
 */
export function takePath(request: IncomingMessage): void {
  const { url = '', headers } = request;
  if (url.startsWith('/')) return;
  const [, authority, path = ''] = /^https?:\/\/([^/?#]+)(\/?.*)$/i.exec(url) ?? [];
  const isOwn = authority !== undefined && authority.toLowerCase() === headers.host?.toLowerCase();
  request.url = isOwn ? path.replace(/^(?!\/)/, '/') : '*';
}

/** Answers 400 to a target that is not a path of this server, to a missing Host, to a duplicate header and to an unusual transfer coding. */
export const guardRequest: Step = (ctx, next) => {
  if (!ctx.url.startsWith('/'))
    throw new HttpError(400, 'invalid_target', 'Ask for a path, such as GET /health.');
  // RFC 9112, section 3.2. HTTP/1.0, which some health checks still use, does not require it.
  if (ctx.req.headers.host === undefined && ctx.req.httpVersion === '1.1') {
    throw new HttpError(400, 'missing_host', 'Send the Host header.');
  }
  requireSingleHeaders(ctx.req);
  requirePlainTransfer(ctx);
  return next();
};

/** Refuses transfer codings other than chunked, and any in HTTP/1.0 (RFC 9112, section 6.1): a proxy could see another end of the body. */
function requirePlainTransfer({ req, res }: RequestContext): void {
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined || (coding.toLowerCase() === 'chunked' && req.httpVersion !== '1.0')) return;
  // What follows on this connection may have been framed differently from how it is read here, so it is closed.
  res.shouldKeepAlive = false;
  throw new HttpError(
    400,
    'unsupported_transfer_coding',
    'Send the body with Content-Length, or plainly chunked.',
  );
}

/** Refuses a header that is there twice and must not be. */
function requireSingleHeaders({ headers, rawHeaders }: IncomingMessage): void {
  // `headers` has each name once, however often it was sent: equal numbers mean that none was sent twice.
  if (Object.keys(headers).length * 2 === rawHeaders.length) return;
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new HttpError(400, 'doubled_header', `Send the header ${name} once.`);
    seen.add(name);
  }
}
