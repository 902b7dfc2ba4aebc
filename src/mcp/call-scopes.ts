/** Which scopes requests need: checked before they are served, and again when a client comes back for an answer that was kept. */
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

/** The scope that a message needs, even if something else is wrong with it; undefined if it needs none. */
export function scopeOfMessage(
  message: unknown,
  { scopes, catalogue }: Pick<McpDefinition, 'scopes' | 'catalogue'>,
): string | undefined {
  if (!isRecord(message) || !isRecord(message['params'])) return undefined;
  const { method, params } = message;
  if (method === 'tools/call') return scopes.get(String(params['name']));
  if (method === 'prompts/get') return catalogue.prompts.get(String(params['name']))?.scope;
  return method === 'resources/read' ? catalogue.resources.get(String(params['uri']))?.scope : undefined;
}

/** Every scope that a tool, a prompt or a resource needs, each once. */
export function scopesAskedFor({
  tools,
  features = [],
}: Pick<McpDefinition, 'tools' | 'features'>): readonly string[] {
  const declared = features.flatMap(({ prompts = [], resources = [] }) => [...prompts, ...resources]);
  return [...new Set([...tools, ...declared].flatMap(({ scope }) => scope ?? []))];
}

/** Whether a value is an object. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Whether a user has every one of these scopes. */
export function hasAllScopes(user: UserContext, scopes: readonly string[]): boolean {
  return scopes.every((scope) => hasScope(user, scope));
}
