/** Answers of the sign-in endpoints: refusals with OAuth error codes, and pages with a policy for browsers. */
import { randomUUID } from 'node:crypto';
import { OAuthError } from '../../auth/sign-in/oauth-error.ts';
import { clientAddressOf } from '../client-address.ts';
import type { Handler, RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** Wraps a handler so that its OAuth errors are answered as clients expect them. Guesses are counted like those of the gate. */
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

/** The fingerprint of a guess. It differs each time, so that each guess counts. */
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

/** The headers of a refusal, as JSON or as a page: when to try again, if the server cannot answer at the moment. */
export function headersOf({ code }: OAuthError): Readonly<Record<string, string>> {
  return code === 'temporarily_unavailable' ? { 'Retry-After': '5' } : {};
}

/** The status of a refusal. */
export function statusOf({ code }: OAuthError): number {
  if (code === 'invalid_client') return 401;
  return code === 'temporarily_unavailable' ? 503 : 400;
}

/**
 * What browsers let the pages do: load their own style sheet, and nothing else. There is no `form-action`, which browsers would apply to the
 * redirect to the client as well. The Referrer-Policy lets the browser send the Origin of the form, which it hides with the usual policy.
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

/** Makes a refusal that is shown as a page. For the log and for subscribers of refusals it is like any other. */
export function onPage({ status, code, message, headers, facts, cause }: HttpError, page: string): HttpError {
  const show = (ctx: RequestContext): void => {
    ctx.set(headers);
    sendPage(ctx, status, page);
  };
  return new HttpError(status, code, message, { facts, cause, show });
}

/** Redirects the browser, always with 303: any other status could make it post the token there. */
export function sendOn(ctx: RequestContext, location: string, page: string): void {
  sendPage(ctx, 303, page);
  // Not with Koa's redirect(), which would change the spelling of the client's address.
  ctx.set('Location', location);
}
