/** The routes of signing in, and what the gate has to know of it. `npm run drop -- sign-in` takes it out. */
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { SignIn } from '../../auth/sign-in/sign-in.ts';
import { basePathOf } from '../base-path.ts';
import type { RequestContext, Route } from '../context.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import { createAuthorizeRoutes } from './authorize.ts';
import type { NamedTool } from './consent-page.ts';
import { createDocumentRoutes, resourceDocumentOf } from './documents.ts';
import { createRegisterRoute } from './register.ts';
import { createTokenRoutes } from './token.ts';

/** What the routes are made with. */
export interface SignInRouteParts {
  readonly signIn: SignIn;
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  readonly serverName: string;
  readonly tools: readonly NamedTool[];
  readonly canRegister: boolean;
  readonly publicUrl: string | undefined;
  readonly log: Logger;
}

/** The routes of signing in. */
export function createSignInRoutes(parts: SignInRouteParts): Route[] {
  const { signIn, countFailure, serverName, canRegister, publicUrl } = parts;
  const { scopes } = signIn;
  const factsOf = (ctx: RequestContext) => ({
    issuer: signIn.issuerOf(ctx.req.headers),
    serverName,
    scopes,
    canRegister,
  });
  return [
    ...createDocumentRoutes({ factsOf, basePath: basePathOf(publicUrl) }),
    ...createAuthorizeRoutes(parts),
    ...createTokenRoutes(signIn, countFailure),
    ...(canRegister ? [createRegisterRoute(parts)] : []),
  ];
}

/** What the challenge of a 401 says besides: where it is written how to sign in, and what to ask for. */
export function createChallenge({ issuerOf, scopes }: SignIn): (ctx: RequestContext) => string {
  const scope = scopes.length === 0 ? '' : `, scope="${scopes.join(' ')}"`;
  return (ctx) => `, resource_metadata="${resourceDocumentOf(issuerOf(ctx.req.headers), ctx.path)}"${scope}`;
}
