/** The routes of a server whose users sign in at an identity provider: they lead clients there. `npm run drop -- provider` takes it out. */
import type { Authenticator } from '../../auth/authenticate.ts';
import { basePathOf } from '../base-path.ts';
import type { RequestContext, Route } from '../context.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import { createOAuthRefusalRoutes } from '../site/oauth-refusal.ts';
import { createResourceRoutes } from '../site/resource-documents.ts';

/** What the routes are made with. */
export interface ProviderRouteParts {
  readonly issuer: string;
  readonly addressOf: (headers: RequestContext['req']['headers']) => string;
  readonly serverName: string;
  /** The scopes that something on this server needs. */
  readonly scopes: readonly string[];
  readonly publicUrl: string | undefined;
}

/** Makes the routes: the documents that name the provider, and refusals for clients that look for an authorization server here. */
export function createProviderRoutes(
  { issuer, addressOf, serverName, scopes, publicUrl }: ProviderRouteParts,
  authenticator: Authenticator,
  countFailure: CountFailure,
): Route[] {
  return [
    ...createResourceRoutes({
      factsOf: (ctx) => ({ address: addressOf(ctx.req.headers), issuer, serverName, scopes }),
      basePath: basePathOf(publicUrl),
    }),
    ...createOAuthRefusalRoutes(authenticator, countFailure, {
      otherwise: `This server has no sign-in of its own: sign in at ${issuer}.`,
      morePaths: ['/authorize', '/token', '/revoke'],
    }),
  ];
}
