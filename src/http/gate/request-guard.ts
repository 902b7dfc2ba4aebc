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

/**
 * Has a request whose target is in absolute form, which every server has to take (RFC 9112, section 3.2.2), ask for its path, if Host names
 * the same server: parts of a chain would believe one or the other. What is no target of this server becomes `*`, which `guardRequest`
 * refuses: to be called before anything else looks at the target, since what takes it to pieces throws at some.
 */
export function takePath(request: IncomingMessage): void {
  const { url = '', headers } = request;
  if (url.startsWith('/')) return;
  const [, authority, path = ''] = /^https?:\/\/([^/?#]+)(\/?.*)$/i.exec(url) ?? [];
  const isOwn = authority !== undefined && authority.toLowerCase() === headers.host?.toLowerCase();
  request.url = isOwn ? path.replace(/^(?!\/)/, '/') : '*';
}

/** Answers 400 to a target that is no path of this server, to a missing Host, and to a deciding header that is there twice. */
export const guardRequest: Step = (ctx, next) => {
  if (!ctx.url.startsWith('/'))
    throw new HttpError(400, 'invalid_target', 'Ask for a path, such as GET /health.');
  // RFC 9112, section 3.2. HTTP/1.0, which some health checks still speak, has none.
  if (ctx.req.headers.host === undefined && ctx.req.httpVersion === '1.1') {
    throw new HttpError(400, 'missing_host', 'Send the Host header.');
  }
  requireSingleHeaders(ctx.req);
  requirePlainTransfer(ctx);
  return next();
};

/** Refuses a transfer coding besides chunked, and any in HTTP/1.0 (RFC 9112, section 6.1): parts of a chain would frame the body otherwise. */
function requirePlainTransfer({ req, res }: RequestContext): void {
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined || (coding.toLowerCase() === 'chunked' && req.httpVersion !== '1.0')) return;
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
