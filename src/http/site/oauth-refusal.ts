/**
 * `/register` and `/.well-known/*`, where clients look for OAuth, on a server without it. After a 401, mcp-remote requests these with the
 * user's headers, and shows the user what `/register` answers: so that answer explains the refusal.
 */
import type { Authenticator, Refusal } from '../../auth/authenticate.ts';
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { authenticateRequest, countRefusal, factsOf } from '../gate/bearer-auth.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** What to tell clients that look for OAuth here. */
export interface OAuthElsewhere {
  /** The sentence that says what there is instead. */
  readonly otherwise: string;
  /** More paths where they look. */
  readonly morePaths: readonly string[];
}

const NO_OAUTH: OAuthElsewhere = { otherwise: 'This server has no OAuth.', morePaths: [] };

/** Makes the public routes that refuse OAuth discovery and registration. */
export function createOAuthRefusalRoutes(
  authenticator: Authenticator,
  countFailure: CountFailure,
  { otherwise, morePaths }: OAuthElsewhere = NO_OAUTH,
): Route[] {
  const refuse = async (ctx: RequestContext): Promise<void> => {
    const authentication = await authenticateRequest(ctx, authenticator);
    const refusal = authentication.ok ? undefined : authentication.refusal;
    // The answer tells valid tokens from invalid ones, so that guesses have to be counted here too.
    if (refusal !== undefined) countRefusal(ctx, refusal, countFailure);
    throw new HttpError(
      404,
      'invalid_request',
      refusal === undefined ? noNeed(authenticator, otherwise) : explainRefusal(refusal, otherwise),
      { ...(refusal && { facts: factsOf(refusal) }) },
    );
  };
  // Every method: whatever a client tries here, the answer is the same.
  const methods = Object.fromEntries(
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((name) => [name, refuse]),
  );
  return ['/register', ...morePaths, '/.well-known', '/.well-known/{*path}'].map((path) => ({
    path,
    methods,
    access: 'public' as const,
  }));
}

/** The words for a client that needs no OAuth: its token is valid, or it needs none. */
function noNeed({ enabled }: Authenticator, otherwise: string): string {
  return enabled
    ? `The token is valid: connect with it; it needs no registration. ${otherwise}`
    : 'This server runs without authentication and has no OAuth: connect without a token.';
}

/** Explains a refusal, with what to change in the client's configuration, and what there is instead of OAuth. */
export function explainRefusal({ reason, description }: Refusal, otherwise: string): string {
  const where =
    "for mcp-remote: --header 'Authorization:${AUTH_HEADER}' with AUTH_HEADER='Bearer <token>' under env";
  const advice =
    reason === 'missing' || reason === 'malformed'
      ? `Set the header in the client configuration (${where}).`
      : `Change the token in the client configuration (${where}).`;
  return `${description} ${advice} ${otherwise}`;
}
