/** The DNS-rebinding guard and CORS: which Host and Origin headers are let in, and what browsers may read. */
import type { Logger } from 'pino';
import { withoutUsualPort } from '../../auth/own-address.ts';
import type { OriginConfig } from '../../config/network.ts';
import { shownName } from '../../log.ts';
import type { RequestContext, Step } from '../context.ts';
import { writeHead } from '../direct-answer.ts';
import { HttpError } from '../errors.ts';
import { isForwarded } from './forwarding-guard.ts';

/** The hosts and origins that are allowed. */
export interface OriginGuardOptions extends Pick<
  OriginConfig,
  'publicUrl' | 'hosts' | 'origins' | 'listensOn'
> {
  readonly authEnabled: boolean;
  readonly log: Pick<Logger, 'warn'>;
}

/** Makes the step that refuses foreign Host and Origin headers (403), except on probes, and answers preflights. */
export function guardOrigin(options: OriginGuardOptions): Step {
  const { hosts, origins, listensOn, authEnabled } = options;
  const allowedHosts = hosts === 'any' ? undefined : new Set(hosts.map(withoutUsualPort));
  const allowedOrigins = new Set(origins);
  // Whether an Origin with this Host is the server's own page. Where the Host is not checked, a page that was rebound to this address
  // looks the same: it is then let in only if it must bring a token, which no foreign page has.
  const mayBeOwn = allowedHosts !== undefined || authEnabled;

  const noteLoopbackHost = createHostAdvice(options);

  return (ctx, next) => {
    // The raw header, never X-Forwarded-Host: what a client can write freely proves nothing.
    const host = ctx.req.headers.host?.toLowerCase() ?? '';
    const isProbe = ctx.state.route?.isProbe === true;
    const isLoopback = LOOPBACK_HOST.test(host);
    if (isLoopback && !isProbe) noteLoopbackHost(ctx);
    const isAllowedHost =
      allowedHosts === undefined ||
      isLoopback ||
      allowedHosts.has(withoutUsualPort(host)) ||
      (listensOn !== undefined && host.replace(/:\d{1,5}$/, '') === listensOn);
    if (!isProbe && !isAllowedHost) {
      throw new HttpError(
        403,
        'forbidden_host',
        'This Host is not served here. Set PUBLIC_URL or ALLOWED_HOSTS to allow it.',
        { facts: { host: shownName(host) } },
      );
    }
    const { origin } = ctx.req.headers;
    const pages = ctx.state.route?.pages;
    // Also when no Origin is sent: what is for every page is the same for all of them.
    if (pages === 'any') return letIn(ctx, '*', next);
    if (origin !== undefined) {
      ctx.vary('Origin');
      const name = withoutUsualPort(host);
      // No sign-in over plain HTTP from another machine: somebody in between could have written the page.
      const mayBePlain = pages !== 'own' || isLoopback;
      const isOwn =
        isAllowedHost &&
        mayBeOwn &&
        (origin === `https://${name}` || (mayBePlain && origin === `http://${name}`));
      // Told to hide where a form comes from, browsers send `Origin: null`, but Sec-Fetch-Site still says that the page is this server's.
      const isHiddenOwn = origin === 'null' && ctx.get('sec-fetch-site') === 'same-origin';
      if (pages === 'own' && (isOwn || isHiddenOwn)) return next();
      const isListed = LOOPBACK_ORIGIN.test(origin) || allowedOrigins.has(origin);
      if (!isOwn && (!isListed || pages === 'own')) {
        if (isProbe) return next();
        throw new HttpError(
          403,
          'forbidden_origin',
          pages === 'own'
            ? "Only this server's own page may send this form. If that page did, a proxy replaces the Host header: configure it to pass on Host."
            : 'Pages of this Origin may not call this server. Set ALLOWED_ORIGINS to allow it.',
          { facts: { origin: shownName(origin) } },
        );
      }
      return letIn(ctx, origin, next);
    }
    return next();
  };
}

/** The loopback names, with any port: no page of another machine can have them. */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;
const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** Makes a function that warns once of a proxy that replaces Host by a loopback name: clients that sign in would be sent there. */
function createHostAdvice({ publicUrl, log }: OriginGuardOptions): (ctx: RequestContext) => void {
  const { host = '', origin } = publicUrl === undefined ? {} : new URL(publicUrl);
  let isTold = publicUrl === undefined || LOOPBACK_HOST.test(host);
  return (ctx) => {
    // A program on this machine may use such a name; the client of a request through a proxy, or from a page at the public address, did not.
    if (isTold || !(isForwarded(ctx.req.headers) || ctx.req.headers.origin === origin)) return;
    isTold = true;
    log.warn(
      { host: shownName(ctx.req.headers.host ?? '') },
      'A proxy replaces the Host header by a name of this machine, and clients that sign in are sent there. Configure it to pass on Host (nginx: proxy_set_header Host $http_host).',
    );
  };
}

/** The response headers that a client in a browser must be able to read. */
const EXPOSED_HEADERS = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, Retry-After, X-Request-Id';

/** Lets pages of an origin read the answer, or answers the preflight of their browser. */
function letIn(ctx: RequestContext, origin: string, next: () => unknown): unknown {
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
  const isPreflight = ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
  return isPreflight ? answerPreflight(ctx) : next();
}

/** Answers a preflight. */
function answerPreflight(ctx: RequestContext): void {
  ctx.vary('Access-Control-Request-Headers');
  // Every header that is asked for is allowed: revision 2026-07-28 has one for each declared tool parameter (Mcp-Param-*).
  const asked = ctx.get('access-control-request-headers');
  ctx.set({
    'Access-Control-Allow-Methods': 'GET, POST, DELETE',
    'Access-Control-Max-Age': '600',
    ...(/^[\w\-, ]{1,1000}$/.test(asked) && { 'Access-Control-Allow-Headers': asked }),
  });
  // Written directly: Koa would not answer for the MCP routes.
  writeHead(ctx, 204, ['Cache-Control', 'no-store']);
  ctx.res.end();
}
