/** `/.well-known/oauth-authorization-server`: how to sign in here (RFC 8414), and refusals for other documents. */
import { describeAuthorizationServer, type MetadataFacts } from '../../auth/sign-in/metadata.ts';
import { RESOURCE_PATHS } from '../../auth/own-address.ts';
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { openRoute, RESOURCE_DOCUMENT } from '../site/resource-documents.ts';

const SERVER_DOCUMENT = '/.well-known/oauth-authorization-server';
const OPENID_DOCUMENT = '/.well-known/openid-configuration';

/** What the documents are made with. */
export interface DocumentParts {
  readonly factsOf: (ctx: RequestContext) => MetadataFacts;
  /** The base path of the public address; clients put it behind the well-known path. */
  readonly basePath: string;
}

/** Makes the routes. */
export function createDocumentRoutes({ factsOf, basePath }: DocumentParts): Route[] {
  const routes = [...new Set(['', basePath])].flatMap((base) =>
    ['', ...RESOURCE_PATHS].map((path) =>
      openRoute(`${SERVER_DOCUMENT}${base}${path}`, (ctx) => describeAuthorizationServer(factsOf(ctx))),
    ),
  );
  // Clients in a browser that look for this document must be able to read that there is none.
  for (const path of ['', '/mcp', '/sse'])
    routes.push(openRoute(`${OPENID_DOCUMENT}${path}`, refuseDocument));
  for (const path of ['/.well-known', '/.well-known/{*path}'])
    routes.push({ path, methods: { GET: refuseDocument, HEAD: refuseDocument }, access: 'public' });
  return routes;
}

/** Answers 404 for a document that does not exist. */
const refuseDocument = (): never => {
  throw new HttpError(
    404,
    'not_found',
    `There is no such document. The metadata of the authorization server is at ${SERVER_DOCUMENT}, that of the protected resource at ${RESOURCE_DOCUMENT}.`,
  );
};
