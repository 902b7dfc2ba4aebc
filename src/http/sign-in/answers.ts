/** Answers of the endpoints of signing in: refusals by their codes, and pages with what browsers may do on them. */
import { randomUUID } from 'node:crypto';
import { OAuthError } from '../../auth/sign-in/oauth-error.ts';
import { clientAddressOf } from '../client-address.ts';
import type { Handler, RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** A handler whose refusals are answered as clients expect them; guesses are counted as those of the gate are. */
export function answerOAuthErrors(handle: Handler, countFailure: CountFailure): Handler {
  return async (ctx) => {
    try {
      await handle(ctx);
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      if (error.isGuess) countFailure(clientAddressOf(ctx), guessOf(error));
      throw toHttpError(error, ctx);
    }
  };
}

/** What tells guesses from each other: each one counts. */
export function guessOf({ code }: OAuthError): string {
  return `${code} ${randomUUID()}`;
}

/** A refusal as JSON (RFC 6749, section 5.2). */
function toHttpError(error: OAuthError, ctx: RequestContext): HttpError {
  const triedBasic = /^basic /i.test(ctx.get('authorization'));
  return new HttpError(statusOf(error), error.code, error.message, {
    headers: {
      ...(error.code === 'invalid_client' && triedBasic && { 'WWW-Authenticate': 'Basic realm="mcp"' }),
      ...headersOf(error),
    },
    cause: error,
  });
}

/** What a refusal says besides, in whatever form it is answered: when to come back, where nothing else is wrong. */
export function headersOf({ code }: OAuthError): Readonly<Record<string, string>> {
  return code === 'temporarily_unavailable' ? { 'Retry-After': '5' } : {};
}

/** The status of a refusal. */
export function statusOf({ code }: OAuthError): number {
  if (code === 'invalid_client') return 401;
  return code === 'temporarily_unavailable' ? 503 : 400;
}

/**
 * What browsers let the pages do: nothing but their own look. Without `form-action`, which would also be held against the redirect to the
 * client; and with a Referrer-Policy that lets the browser say where the form comes from, which it hides with the usual one.
 */
const PAGE_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
} as const;

/** Answers with a page. */
export function sendPage(ctx: RequestContext, status: number, page: string): void {
  ctx.set(PAGE_HEADERS);
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = page;
}

/** A refusal that people see on a page; to the log, and to whoever counts refusals, it is one like any other. */
export function onPage({ status, code, message, headers, facts, cause }: HttpError, page: string): HttpError {
  const show = (ctx: RequestContext): void => {
    ctx.set(headers);
    sendPage(ctx, status, page);
  };
  return new HttpError(status, code, message, { facts, cause, show });
}

/** Sends the browser on: with 303 always, since any other status could make it post the token there. */
export function sendOn(ctx: RequestContext, location: string, page: string): void {
  sendPage(ctx, 303, page);
  // Not by Koa's redirect(), which would write the client's address in its own way.
  ctx.set('Location', location);
}
