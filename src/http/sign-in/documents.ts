/** `/.well-known/…`: the documents by which clients find out how to sign in, and a word for those who look for others. */
import {
  describeAuthorizationServer,
  describeResource,
  type MetadataFacts,
} from '../../auth/sign-in/metadata.ts';
import { RESOURCE_PATHS } from '../../auth/sign-in/resources.ts';
import type { Handler, RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';

const RESOURCE_DOCUMENT = '/.well-known/oauth-protected-resource';
const SERVER_DOCUMENT = '/.well-known/oauth-authorization-server';
const OPENID_DOCUMENT = '/.well-known/openid-configuration';

/** What the documents are made with. */
export interface DocumentParts {
  readonly factsOf: (ctx: RequestContext) => MetadataFacts;
  /** The path of the server's public address: where it has one, clients put that behind the names of the documents. */
  readonly basePath: string;
}

/** The routes. */
export function createDocumentRoutes({ factsOf, basePath }: DocumentParts): Route[] {
  const routes: Route[] = [];
  for (const base of new Set(['', basePath])) {
    for (const path of ['', ...RESOURCE_PATHS]) {
      routes.push(
        openRoute(`${RESOURCE_DOCUMENT}${base}${path}`, (ctx) => describeResource(factsOf(ctx), path)),
        openRoute(`${SERVER_DOCUMENT}${base}${path}`, (ctx) => describeAuthorizationServer(factsOf(ctx))),
      );
    }
  }
  // Pages that look for it must be able to read that it is not there.
  for (const path of ['', '/mcp', '/sse'])
    routes.push(openRoute(`${OPENID_DOCUMENT}${path}`, refuseDocument));
  for (const path of ['/.well-known', '/.well-known/{*path}'])
    routes.push({ path, methods: { GET: refuseDocument, HEAD: refuseDocument }, access: 'public' });
  return routes;
}

/** The address of the document about what a request came to, for the challenge. */
export function resourceDocumentOf(issuer: string, requestPath: string): string {
  const path = requestPath === '/messages' ? '/sse' : requestPath;
  const suffix = RESOURCE_PATHS.find((known) => known === path) ?? '';
  return `${issuer}${RESOURCE_DOCUMENT}${suffix}`;
}

/** The route of a document, which every page may read. */
function openRoute(path: string, describe: (ctx: RequestContext) => object): Route {
  const get: Handler = (ctx) => {
    ctx.body = describe(ctx);
  };
  return { path, methods: { GET: get, HEAD: get, OPTIONS: sayMethods }, access: 'public', pages: 'any' };
}

/** Answers what a document takes. */
const sayMethods: Handler = (ctx) => {
  ctx.set('Allow', 'GET, HEAD, OPTIONS');
  ctx.status = 204;
};

/** There is no such document. */
const refuseDocument = (): never => {
  throw new HttpError(
    404,
    'not_found',
    `There is no such document. How to sign in is at ${SERVER_DOCUMENT}, and for what at ${RESOURCE_DOCUMENT}.`,
  );
};
