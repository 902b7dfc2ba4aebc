/** How callers get in: what verifies their credentials, and what clients find where they look for a way to sign in. */
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticate.ts';
import type { TokenVerifier } from '../auth/verifier.ts';
import type { Route } from '../http/context.ts';
import type { DescribeEntrance } from '../http/gate/bearer-auth.ts';
import type { CountFailure } from '../http/gate/rate-limit.ts';
import type { Config } from '../config/config.ts';
import type { Feature } from '../mcp/feature.ts';
import type { Tool } from '../mcp/tool.ts';
import type { Peers } from '../sessions/peers.ts';
import { createOAuthRefusalRoutes } from '../http/site/oauth-refusal.ts';
import { openProvider } from './provider.ts';
import { openSignIn } from './sign-in.ts';

/** A way to get in. */
export interface Entrance {
  /** Absent while authentication is off. */
  readonly verifier: TokenVerifier | undefined;
  /** Makes its public routes. */
  readonly createRoutes: (authenticator: Authenticator, countFailure: CountFailure) => Route[];
  /** Whether clients can send their users somewhere to sign in, so that they need no token. */
  readonly canSignIn: boolean;
  /** Makes more parameters of the challenge of a 401. */
  readonly describe?: DescribeEntrance;
  /** Shares what it knows of callers with the other processes. */
  readonly takePart?: (peers: Peers) => void;
}

/** What an entrance needs. */
export interface EntranceWiring {
  readonly config: Config;
  readonly verifier: TokenVerifier | undefined;
  readonly serverName: string;
  readonly tools: readonly Tool[];
  readonly features: readonly Feature[] | undefined;
  readonly log: Logger;
}

/** Opens the entrance that is configured. */
export async function openEntrance(wiring: EntranceWiring): Promise<Entrance> {
  return (await openSignIn(wiring)) ?? (await openProvider(wiring)) ?? byTokensAlone(wiring.verifier);
}

/** The entrance of a server whose tokens are handed out, and whose users cannot sign in. */
function byTokensAlone(verifier: TokenVerifier | undefined): Entrance {
  return {
    verifier,
    canSignIn: false,
    createRoutes: (authenticator, countFailure) => createOAuthRefusalRoutes(authenticator, countFailure),
  };
}
