/**
 * Answers calls that lack a scope which signing in again would give: with a 403 that names the scope, before any session sees the message,
 * so that all transports answer alike. Where signing in again cannot help, the tool says so itself: the model reads that, and no client
 * signs in.
 */
import { canObtain, hasScope } from '../../auth/user.ts';
import { scopeOfMessage, scopesAskedFor } from '../../mcp/call-scopes.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { insufficientScope } from '../errors.ts';

/** Refuses a body whose messages lack scopes that the user can obtain: throws a 403 as an {@link HttpError}. */
export type StepUp = (ctx: RequestContext, body: unknown) => void;

/** Makes more parameters of a challenge: where to sign in, and the scopes to ask for. */
export type DescribeStep = (ctx: RequestContext, scopes: readonly string[]) => string;

/** Makes the check; undefined for a server without sign-in. For users who can obtain nothing more, it returns at once. */
export function createStepUp(
  definition: McpDefinition,
  describe: DescribeStep | undefined,
): StepUp | undefined {
  if (describe === undefined) return undefined;
  const known = scopesAskedFor(definition);
  return (ctx, body) => {
    const { user, tokenId } = grantOf(ctx);
    if (user.obtainable === undefined || user.scopes === undefined) return;
    const missing = new Set<string>();
    for (const message of Array.isArray(body) ? body : [body]) {
      const scope = scopeOfMessage(message, definition);
      if (scope !== undefined && !hasScope(user, scope) && canObtain(user, scope)) missing.add(scope);
    }
    if (missing.size === 0) return;
    // The scopes of the token are included: some clients ask for exactly the scopes of the challenge, and would lose the others.
    const scopes = known.filter((scope) => hasScope(user, scope) || missing.has(scope));
    const words = `This needs the scope ${[...missing].join(' ')}. Sign in again and allow it.`;
    const facts = { userId: user.userId, tokenId };
    throw insufficientScope({ words, besides: describe(ctx, scopes), facts });
  };
}
