/** The DNS-rebinding guard and CORS: which Host and Origin headers are let in, and what browsers may read. */
import type { Logger } from 'pino';
import { withoutUsualPort } from '../../auth/own-address.ts';
import type { OriginConfig } from '../../config/network.ts';
import { shownName } from '../../log.ts';
import type { RequestContext, Step } from '../context.ts';
import { writeHead } from '../direct-answer.ts';
import { HttpError } from '../errors.ts';
import { isForwarded } from './forwarding-guard.ts';

/** What is let in. */
export interface OriginGuardOptions extends Pick<
  OriginConfig,
  'publicUrl' | 'hosts' | 'origins' | 'listensOn'
> {
  readonly authEnabled: boolean;
  readonly log: Pick<Logger, 'warn'>;
}

/** Refuses foreign Host and Origin headers (403), but not of probes, and answers preflights. */
export function guardOrigin(options: OriginGuardOptions): Step {
  const { hosts, origins, listensOn, authEnabled } = options;
  const allowedHosts = hosts === 'any' ? undefined : new Set(hosts.map(withoutUsualPort));
  const allowedOrigins = new Set(origins);
  // The server's own page. A page that was rebound to this address looks the same where the Host is not checked: it may
  // then come only where it must bring a token, which no page of somebody else's has.
  const mayBeOwn = allowedHosts !== undefined || authEnabled;

  const noteLoopbackHost = createHostAdvice(options);

  return (ctx, next) => {
    // The raw header, never X-Forwarded-Host: what a client can write freely proves nothing.
    const host = ctx.req.headers.host?.toLowerCase() ?? '';
    const name = withoutUsualPort(host);
    const isProbe = ctx.state.route?.isProbe === true;
    const isLoopback = LOOPBACK_HOST.test(host);
    if (isLoopback && !isProbe) noteLoopbackHost(ctx);
    const isAllowedHost =
      allowedHosts === undefined ||
      isLoopback ||
      allowedHosts.has(name) ||
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
    if (origin !== undefined) {
      ctx.vary('Origin');
      // Nobody signs in over plain HTTP from another machine: whoever is in between writes such a page.
      const mayBePlain = pages !== 'own' || isLoopback;
      const isOwn =
        isAllowedHost &&
        mayBeOwn &&
        (origin === `https://${name}` || (mayBePlain && origin === `http://${name}`));
      if (pages === 'any') return letIn(ctx, '*', next);
      // Browsers hide where a form comes from when they are told to, but not that it comes from here.
      const isHiddenOwn = origin === 'null' && ctx.get('sec-fetch-site') === 'same-origin';
      if (pages === 'own' && (isOwn || isHiddenOwn)) return next();
      const isListed = LOOPBACK_ORIGIN.test(origin) || allowedOrigins.has(origin);
      if (!isOwn && (!isListed || pages === 'own')) {
        if (isProbe) return next();
        throw new HttpError(
          403,
          'forbidden_origin',
          pages === 'own'
            ? "Only this server's own page may send this form. If that did, a proxy writes another name over Host: have it pass on Host."
            : 'Pages of this Origin may not call this server. Set ALLOWED_ORIGINS to allow it.',
          { facts: { origin: shownName(origin) } },
        );
      }
      return letIn(ctx, origin, next);
    }
    return next();
  };
}

/** The names of this machine, with any port: no other machine's page can have them. */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;
const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** Makes what tells the operator, once, of a proxy that writes a name of this machine over Host: sign-ins then lead clients there. */
function createHostAdvice({ publicUrl, log }: OriginGuardOptions): (ctx: RequestContext) => void {
  const { host = '', origin } = publicUrl === undefined ? {} : new URL(publicUrl);
  let isTold = publicUrl === undefined || LOOPBACK_HOST.test(host);
  return (ctx) => {
    // Programs of this machine may use such a name; what came by a proxy, or from a page at the public address, did not.
    if (isTold || !(isForwarded(ctx.req.headers) || ctx.req.headers.origin === origin)) return;
    isTold = true;
    log.warn(
      { host: shownName(ctx.req.headers.host ?? '') },
      'A proxy writes a name of this machine over Host, and clients that sign in are sent there. Have it pass on Host (nginx: proxy_set_header Host $http_host).',
    );
  };
}

/** What a browser client must be able to read of an answer. */
const EXPOSED_HEADERS = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, Retry-After, X-Request-Id';

/** Lets pages of an origin read the answer, or answers their browser's question before the request itself. */
function letIn(ctx: RequestContext, origin: string, next: () => unknown): unknown {
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
  const isPreflight = ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
  return isPreflight ? answerPreflight(ctx) : next();
}

/** Answers the question that a browser asks before the request itself. */
function answerPreflight(ctx: RequestContext): void {
  ctx.vary('Access-Control-Request-Headers');
  // The names asked for are given back: 2026-07-28 has a header for each declared tool parameter (Mcp-Param-*).
  const asked = ctx.get('access-control-request-headers');
  ctx.set({
    'Access-Control-Allow-Methods': 'GET, POST, DELETE',
    'Access-Control-Max-Age': '600',
    ...(/^[\w\-, ]{1,1000}$/.test(asked) && { 'Access-Control-Allow-Headers': asked }),
  });
  // By itself: on the MCP routes nobody else would answer.
  writeHead(ctx, 204, ['Cache-Control', 'no-store']);
  ctx.res.end();
}
