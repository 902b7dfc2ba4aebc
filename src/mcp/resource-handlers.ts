/** Serves resources: those declared, and those that a feature has registered. */
import {
  type Resource as ListedResource,
  ResourceNotFoundError,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { callerOf } from './caller.ts';
import { allowed, type Catalogue, listFixedResources, listTemplates } from './catalogue.ts';
import { refuseCursor } from './empty-lists.ts';
import { frameOf, type HandlerParts, listInner, passOn } from './inner-handlers.ts';
import { STATELESS_REVISION } from './plain-meta.ts';
import type { Resource } from './resource.ts';
import { serve } from './serve.ts';
import type { CallContext } from './tool.ts';

/** Sets the handlers of resources: those declared, and those that a feature has registered. */
export function installResources(parts: HandlerParts): void {
  const {
    server: { server },
    definition,
    connectionCaller,
  } = parts;
  const { catalogue } = definition;
  server.setRequestHandler('resources/list', async (request, context) => {
    refuseCursor(request.params);
    const { user } = callerOf(context, connectionCaller);
    const own = listFixedResources(catalogue, user);
    const listed = await listOfTemplates(parts, context);
    const others = await listInner<(typeof own)[number]>(parts, request, context, 'resources');
    return { resources: [...own, ...listed, ...others] };
  });
  server.setRequestHandler('resources/templates/list', async (request, context) => {
    refuseCursor(request.params);
    const own = listTemplates(catalogue, callerOf(context, connectionCaller).user);
    const others = await listInner<(typeof own)[number]>(parts, request, context, 'resourceTemplates');
    return { resourceTemplates: [...own, ...others] };
  });
  server.setRequestHandler('resources/read', async (request, context) => {
    const { uri } = request.params;
    const found = findDeclared(catalogue, uri);
    if (found === undefined) {
      if (!parts.inner.has('resources/read')) throw new ResourceNotFoundError(uri);
      // The feature's name for it is not known, and its URI may say more than a log should.
      return passOn(parts, { kind: 'resource', name: 'of a feature' }, request, context);
    }
    const { resource, params } = found;
    const frame = frameOf(parts, context);
    const asked = { kind: 'resource', name: resource.name, scope: resource.scope } as const;
    return serve(asked, frame, async (at) => {
      const result = await resource.read(params, { ...at, uri });
      if (result === undefined) throw new ResourceNotFoundError(uri);
      return { ...result, ...cacheOf(resource, at) };
    });
  });
}

/** The resources that templates list for a user. */
async function listOfTemplates(parts: HandlerParts, context: ServerContext): Promise<ListedResource[]> {
  const { definition, connectionCaller } = parts;
  const { user } = callerOf(context, connectionCaller);
  const lists = allowed(definition.catalogue.resources, user).map(async ({ name, list }) =>
    list === undefined ? [] : serve({ kind: 'listing', name }, frameOf(parts, context), list),
  );
  return (await Promise.all(lists)).flat();
}

/** Finds the declared resource of a URI: one with this very URI before any template. */
function findDeclared({ resources }: Catalogue, uri: string) {
  const fixed = resources.get(uri);
  for (const resource of fixed === undefined ? resources.values() : [fixed]) {
    const params = resource.match(uri);
    if (params !== undefined) return { resource, params };
  }
  return undefined;
}

/** How long a client may cache what it has read; only the stateless revision has these fields. */
function cacheOf({ cache }: Resource, { connection }: CallContext) {
  if (cache === undefined || connection.protocolVersion !== STATELESS_REVISION) return {};
  return {
    ttlMs: cache.ttlMs,
    cacheScope: cache.shared === true ? ('public' as const) : ('private' as const),
  };
}
