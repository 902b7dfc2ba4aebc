/** `/admin`: people and their tokens, for a token whose entry lists the scope `admin` itself. `npm run drop -- admin` takes it out. */
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { Session, SessionRegistry } from '../../sessions/registry.ts';
import { grantOf, type Handler, type RequestContext, type Route } from '../context.ts';
import { ADMIN_SCOPE } from '../../auth/tokens/scopes.ts';
import { HttpError } from '../errors.ts';
import type { BodyLimits } from '../transports/body-bytes.ts';
import { createAdminApi } from './api.ts';
import { createAdminFiles } from './files.ts';
import type { People } from './people.ts';
import type { Usage } from './usage.ts';

/** What the page for admins is made from. */
export interface AdminParts {
  readonly authenticator: Authenticator;
  readonly people: People;
  readonly usage: Usage;
  readonly registry: SessionRegistry;
  /** Ends a session for good, in every process. */
  readonly endSession: (session: Session) => void;
  readonly bodies: BodyLimits;
  /** The scopes that tools ask for. */
  readonly scopes: readonly string[];
  readonly serverName: string;
  readonly publicUrl: string | undefined;
  readonly log: Logger;
  readonly now?: () => number;
}

/** Every method is answered here, so that whoever may not come in learns nothing of what is there. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The routes. */
export function createAdminRoutes(parts: AdminParts): Route[] {
  const api = createAdminApi(parts);
  const files = createAdminFiles(parts);
  return [
    ...Object.entries(api).map(([path, methods]) => ({
      path: `/admin/api/${path}`,
      methods: guarded(async (ctx) => handlerOf(ctx, methods)(ctx)),
    })),
    {
      path: '/admin/api/{*path}',
      methods: guarded(answerUnknown),
      loadAhead: async () => parts.usage.refresh(),
    },
    ...[...files].map(([path, handler]) => ({
      path,
      access: 'public' as const,
      methods: Object.fromEntries(
        ['GET', 'HEAD'].map((name) => [
          name,
          async (ctx: RequestContext) => {
            await admitVisitor(ctx, parts.authenticator);
            return handler(ctx);
          },
        ]),
      ),
    })),
  ];
}

/** A handler of every method that lets in admins only. */
function guarded(handler: Handler): Route['methods'] {
  const guard: Handler = (ctx) => {
    requireAdmin(grantOf(ctx).user.scopes);
    return handler(ctx);
  };
  return Object.fromEntries(METHODS.map((name) => [name, guard]));
}

/** The handler of a request's method. */
function handlerOf(ctx: RequestContext, methods: Readonly<Record<string, Handler>>): Handler {
  const handler = methods[ctx.method === 'HEAD' ? 'GET' : ctx.method];
  if (handler !== undefined) return handler;
  const allow = Object.keys(methods).join(', ');
  throw new HttpError(405, 'method_not_allowed', `Use ${allow} here.`, { headers: { Allow: allow } });
}

/** A path of the API that there is not. */
const answerUnknown: Handler = () => {
  throw new HttpError(404, 'not_found', 'The API for admins has no such path. GET /admin is its page.');
};

/** Lets a browser see the page, which asks for the token itself; a credential that comes along must be an admin's. */
async function admitVisitor(ctx: RequestContext, authenticator: Authenticator): Promise<void> {
  const authentication = await authenticator.authenticate(ctx.req.headers);
  if (authentication.ok) return requireAdmin(authentication.grant.user.scopes);
  const { reason, description } = authentication.refusal;
  if (reason === 'missing') return;
  throw new HttpError(401, 'invalid_token', description, {
    headers: { 'WWW-Authenticate': 'Bearer realm="mcp"' },
  });
}

/** Refuses whoever is no admin. */
function requireAdmin(scopes: readonly string[] | undefined): void {
  if (scopes?.includes(ADMIN_SCOPE) === true) return;
  throw new HttpError(
    403,
    'insufficient_scope',
    'This is for admins: it needs a token whose entry lists the scope "admin" itself. Make one with: npm run token -- create --user me --scopes admin',
  );
}
