/** Which scopes the answers to requests take: they are asked for again when somebody comes back for an answer that was kept. */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import { hasScope, type UserContext } from '../auth/user.ts';
import type { McpDefinition } from './server.ts';

/** The scopes of the tools that requests call. */
export function scopesOfCalls(
  requests: readonly JSONRPCRequest[],
  { scopes }: Pick<McpDefinition, 'scopes'>,
): readonly string[] {
  return requests.flatMap(({ method, params }) => {
    const scope = method === 'tools/call' ? scopes.get(String(params?.['name'])) : undefined;
    return scope ?? [];
  });
}

/** Whether a user has every one of these scopes. */
export function hasAllScopes(user: UserContext, scopes: readonly string[]): boolean {
  return scopes.every((scope) => hasScope(user, scope));
}
