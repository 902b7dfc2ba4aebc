/** The routes of the sign-in. `npm run drop -- sign-in` takes it out. */
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { SignIn } from '../../auth/sign-in/sign-in.ts';
import { basePathOf } from '../base-path.ts';
import type { RequestContext, Route } from '../context.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import { createAuthorizeRoutes } from './authorize.ts';
import type { Offer } from './consent-page.ts';
import { createResourceRoutes } from '../site/resource-documents.ts';
import { createDocumentRoutes } from './documents.ts';
import { createNoRegistrationRoute, createRegisterRoute } from './register.ts';
import { createTokenRoutes } from './token.ts';

/** What the routes are made with. */
export interface SignInRouteParts {
  readonly signIn: SignIn;
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  /** How many wrong credentials an address may send a minute. */
  readonly failuresPerMinute: number;
  readonly serverName: string;
  readonly offers: readonly Offer[];
  readonly canRegister: boolean;
  readonly publicUrl: string | undefined;
  readonly log: Logger;
}

/** Makes the routes of the sign-in. */
export function createSignInRoutes(parts: SignInRouteParts): Route[] {
  const { signIn, countFailure, serverName, canRegister, publicUrl } = parts;
  const { scopes, canRefresh } = signIn;
  const basePath = basePathOf(publicUrl);
  const issuerOf = (ctx: RequestContext): string => signIn.issuerOf(ctx.req.headers);
  return [
    ...createResourceRoutes({
      factsOf: (ctx) => ({ address: issuerOf(ctx), issuer: issuerOf(ctx), serverName, scopes }),
      basePath,
    }),
    ...createDocumentRoutes({
      factsOf: (ctx) => ({ issuer: issuerOf(ctx), scopes, canRegister, canRefresh }),
      basePath,
    }),
    ...createAuthorizeRoutes(parts),
    ...createTokenRoutes(signIn, countFailure),
    canRegister ? createRegisterRoute(parts) : createNoRegistrationRoute(parts),
  ];
}
