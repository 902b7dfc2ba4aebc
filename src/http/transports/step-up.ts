/**
 * Calls that lack a scope which signing in again would give: a 403 that names it, before any session sees the message, so that every
 * transport says the same. Where signing in again cannot help, the tool says so itself: the model reads that, and no client signs in.
 */
import { canObtain, hasScope } from '../../auth/user.ts';
import { scopeOfMessage, scopesAskedFor } from '../../mcp/call-scopes.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { insufficientScope } from '../errors.ts';

/** Refuses a body whose messages lack what could be got. */
export type StepUp = (ctx: RequestContext, body: unknown) => void;

/** What a challenge says besides: where to sign in, and what to ask for there. */
export type DescribeStep = (ctx: RequestContext, scopes: readonly string[]) => string;

/** Makes the check; none where nobody signs in. For users who can get nothing more it is one look. */
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
    // With what the token has: some clients ask for exactly what they are told, and would lose the rest.
    const scopes = known.filter((scope) => hasScope(user, scope) || missing.has(scope));
    const words = `This needs the scope ${[...missing].join(' ')}. Sign in again and allow it.`;
    const facts = { userId: user.userId, tokenId };
    throw insufficientScope({ words, besides: describe(ctx, scopes), facts });
  };
}
