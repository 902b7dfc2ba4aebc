/** The credential check in front of every route that does not say it is public (RFC 6750). */
import type { Middleware } from 'koa';
import type { Authenticator, Refusal } from '../auth/authenticate.ts';
import type { RequestState } from './context.ts';
import { HttpError } from './errors.ts';
import type { CountFailure } from './rate-limit.ts';

/** Lets a request through with its grant, or answers 401 with the challenge. */
export function requireBearer(
  authenticator: Authenticator,
  countFailure: CountFailure,
): Middleware<RequestState> {
  return async (ctx, next) => {
    const authentication = await authenticator.authenticate(ctx.req.headers);
    if (!authentication.ok) {
      const { refusal } = authentication;
      // After the look-up, so that a valid token from the same address always passes: a classroom behind one NAT.
      if (refusal.reason !== 'missing') await countFailure(ctx.ip);
      throw challenge(refusal);
    }
    ctx.state.grant = authentication.grant;
    await next();
  };
}

const REALM = 'Bearer realm="mcp"';

/** The 401 of a refusal. Without a credential the challenge has no error code (RFC 6750, section 3.1). */
function challenge({ reason, description }: Refusal): HttpError {
  const isMissing = reason === 'missing';
  const header = isMissing ? REALM : `${REALM}, error="invalid_token", error_description="${description}"`;
  const code = isMissing ? 'unauthorized' : 'invalid_token';
  return new HttpError(401, code, description, { headers: { 'WWW-Authenticate': header } });
}
