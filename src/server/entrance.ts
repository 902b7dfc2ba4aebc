/** How callers get in: who decides about their credentials, and what they find where clients look for another way. */
import type { Authenticator } from '../auth/authenticate.ts';
import type { TokenVerifier } from '../auth/verifier.ts';
import type { RequestContext, Route } from '../http/context.ts';
import type { CountFailure } from '../http/gate/rate-limit.ts';
import { createOAuthRefusalRoutes } from '../http/site/oauth-refusal.ts';

/** A way in. */
export interface Entrance {
  /** Absent while authentication is off. */
  readonly verifier: TokenVerifier | undefined;
  /** The public routes of it. */
  readonly createRoutes: (authenticator: Authenticator, countFailure: CountFailure) => Route[];
  /** Whether clients can send their users somewhere to sign in, so that they need no token. */
  readonly canSignIn: boolean;
  /** What the challenge of a 401 says besides. */
  readonly describe?: (ctx: RequestContext) => string;
}

/** With tokens that are handed out, and in no other way. */
export function byTokensAlone(verifier: TokenVerifier | undefined): Entrance {
  return { verifier, canSignIn: false, createRoutes: createOAuthRefusalRoutes };
}
