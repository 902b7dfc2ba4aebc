/** `/.well-known/oauth-protected-resource`: who issues the tokens for this server (RFC 9728). Clients read it after a 401. */
import type { IncomingHttpHeaders } from 'node:http';
import { RESOURCE_PATHS } from '../../auth/own-address.ts';
import type { Handler, RequestContext, Route } from '../context.ts';
import type { DescribeEntrance } from '../gate/bearer-auth.ts';

/** The well-known path of the documents. */
export const RESOURCE_DOCUMENT = '/.well-known/oauth-protected-resource';

/** What a document says. */
export interface ResourceFacts {
  /** The server's address, without a slash at its end. Clients compare it as text. */
  readonly address: string;
  /** The issuer of tokens: the authorization server. */
  readonly issuer: string;
  readonly serverName: string;
  /** The scopes that something on this server needs. */
  readonly scopes: readonly string[];
}

/** What the routes are made with. */
export interface ResourceDocumentParts {
  readonly factsOf: (ctx: RequestContext) => ResourceFacts;
  /** The base path of the public address; clients put it behind the well-known path. */
  readonly basePath: string;
}

/** Makes the routes: one for the whole server, and one for each path that clients connect to. */
export function createResourceRoutes({ factsOf, basePath }: ResourceDocumentParts): Route[] {
  return [...new Set(['', basePath])].flatMap((base) =>
    ['', ...RESOURCE_PATHS].map((path) =>
      openRoute(`${RESOURCE_DOCUMENT}${base}${path}`, (ctx) => describeResource(factsOf(ctx), path)),
    ),
  );
}

/** Makes the function that adds parameters to challenges: where the document is that says how to get a token, and the scopes to ask for. */
export function createChallenge(
  addressOf: (headers: IncomingHttpHeaders) => string,
  all: readonly string[],
): DescribeEntrance {
  return (ctx, scopes = all) => {
    const path = ctx.path === '/messages' ? '/sse' : ctx.path;
    const suffix = RESOURCE_PATHS.find((known) => known === path) ?? '';
    const scope = scopes.length === 0 ? '' : `, scope="${scopes.join(' ')}"`;
    return `, resource_metadata="${addressOf(ctx.req.headers)}${RESOURCE_DOCUMENT}${suffix}"${scope}`;
  };
}

/** Makes the route of a document, which pages of every origin may read. */
export function openRoute(path: string, describe: (ctx: RequestContext) => object): Route {
  const get: Handler = (ctx) => {
    ctx.body = describe(ctx);
  };
  return { path, methods: { GET: get, HEAD: get, OPTIONS: sayMethods }, access: 'public', pages: 'any' };
}

/** The document of a protected resource: of `/mcp`, say, or of the whole server. */
function describeResource({ address, issuer, serverName, scopes }: ResourceFacts, path: string): object {
  return {
    resource: address + path,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    resource_name: serverName,
    resource_documentation: `${address}/`,
  };
}

/** Answers OPTIONS with the methods of a document. */
const sayMethods: Handler = (ctx) => {
  ctx.set('Allow', 'GET, HEAD, OPTIONS');
  ctx.status = 204;
};
