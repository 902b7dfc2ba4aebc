/**
 * `/register` and `/.well-known/*`: there is no OAuth here, and this is where clients look for it. mcp-remote answers a 401
 * by asking these, with the user's headers, and shows the user what `/register` says: so that is where the words must be.
 */
import type { Authenticator, Refusal } from '../../auth/authenticate.ts';
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { authenticateRequest, countRefusal, factsOf } from '../gate/bearer-auth.ts';
import type { CountFailure } from '../gate/rate-limit.ts';

/** What clients are told that look for OAuth here. */
export interface OAuthElsewhere {
  /** What there is instead. */
  readonly otherwise: string;
  /** Where else they look. */
  readonly morePaths: readonly string[];
}

const NO_OAUTH: OAuthElsewhere = { otherwise: 'This server has no OAuth.', morePaths: [] };

/** The public routes that refuse OAuth discovery and registration. */
export function createOAuthRefusalRoutes(
  authenticator: Authenticator,
  countFailure: CountFailure,
  { otherwise, morePaths }: OAuthElsewhere = NO_OAUTH,
): Route[] {
  const refuse = async (ctx: RequestContext): Promise<void> => {
    const authentication = await authenticateRequest(ctx, authenticator);
    const refusal = authentication.ok ? undefined : authentication.refusal;
    // It tells a right token from a wrong one.
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

/** What to tell a client that has no reason to come here. */
function noNeed({ enabled }: Authenticator, otherwise: string): string {
  return enabled
    ? `The token is valid: connect with it; it needs no registration. ${otherwise}`
    : 'This server runs without authentication and has no OAuth: connect without a token.';
}

/** The refusal with what to change where the client keeps its configuration, and what there is besides. */
export function explainRefusal({ reason, description }: Refusal, otherwise: string): string {
  const where =
    "for mcp-remote: --header 'Authorization:${AUTH_HEADER}' with AUTH_HEADER='Bearer <token>' under env";
  const advice =
    reason === 'missing' || reason === 'malformed'
      ? `Set the header in the client configuration (${where}).`
      : `Change the token in the client configuration (${where}).`;
  return `${description} ${advice} ${otherwise}`;
}
