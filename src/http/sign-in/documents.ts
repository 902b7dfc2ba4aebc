/** `/.well-known/oauth-authorization-server`: how to sign in here, and a word for those who look for other documents. */
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
  /** The path of the server's public address: where it has one, clients put that behind the names of the documents. */
  readonly basePath: string;
}

/** The routes. */
export function createDocumentRoutes({ factsOf, basePath }: DocumentParts): Route[] {
  const routes = [...new Set(['', basePath])].flatMap((base) =>
    ['', ...RESOURCE_PATHS].map((path) =>
      openRoute(`${SERVER_DOCUMENT}${base}${path}`, (ctx) => describeAuthorizationServer(factsOf(ctx))),
    ),
  );
  // Pages that look for it must be able to read that it is not there.
  for (const path of ['', '/mcp', '/sse'])
    routes.push(openRoute(`${OPENID_DOCUMENT}${path}`, refuseDocument));
  for (const path of ['/.well-known', '/.well-known/{*path}'])
    routes.push({ path, methods: { GET: refuseDocument, HEAD: refuseDocument }, access: 'public' });
  return routes;
}

/** There is no such document. */
const refuseDocument = (): never => {
  throw new HttpError(
    404,
    'not_found',
    `There is no such document. How to sign in is at ${SERVER_DOCUMENT}, and for what at ${RESOURCE_DOCUMENT}.`,
  );
};
