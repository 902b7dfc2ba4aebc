/** `/admin`: manages people and their tokens. It needs a token whose entry lists the scope `admin` itself. `npm run drop -- admin` takes it out. */
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticate.ts';
import { readCredential } from '../../auth/credential.ts';
import type { Session, SessionRegistry } from '../../sessions/registry.ts';
import { grantOf, type Handler, type RequestContext, type Route, type Step } from '../context.ts';
import { ADMIN_SCOPE } from '../../auth/tokens/scopes.ts';
import { HttpError, insufficientScope } from '../errors.ts';
import { type DescribeEntrance, requireBearer } from '../gate/bearer-auth.ts';
import type { CountFailure } from '../gate/rate-limit.ts';
import type { BodyLimits } from '../transports/body-bytes.ts';
import { createAdminApi } from './api.ts';
import { createAdminFiles } from './files.ts';
import type { People } from './people.ts';
import type { Usage } from './usage.ts';

/** What the page for admins is made from. */
export interface AdminParts {
  readonly authenticator: Authenticator;
  readonly countFailure: CountFailure;
  /** Adds parameters to the challenge of a 401. */
  readonly describeEntrance?: DescribeEntrance | undefined;
  readonly people: People;
  readonly usage: Usage;
  readonly registry: SessionRegistry;
  /** Ends a session for good, in every process. */
  readonly endSession: (session: Session) => Promise<void>;
  readonly bodies: BodyLimits;
  /** The scopes that something on this server needs. */
  readonly scopes: readonly string[];
  readonly serverName: string;
  readonly publicUrl: string | undefined;
  readonly log: Logger;
  readonly now?: () => number;
}

/** All methods are handled here, so that callers who are not admins learn nothing about the API. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Makes the routes. */
export function createAdminRoutes(parts: AdminParts): Route[] {
  const api = createAdminApi(parts);
  const files = createAdminFiles(parts);
  const requireToken = requireBearer(parts.authenticator, parts.countFailure, parts.describeEntrance);
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
      methods: Object.fromEntries(['GET', 'HEAD'].map((name) => [name, forVisitors(handler, requireToken)])),
    })),
  ];
}

/** Makes handlers for all methods that let in only admins. */
function guarded(handler: Handler): Route['methods'] {
  return Object.fromEntries(METHODS.map((name) => [name, forAdmins(handler)]));
}

/** Wraps a handler so that it lets in only admins. */
function forAdmins(handler: Handler): Handler {
  return (ctx) => {
    requireAdmin(ctx);
    return handler(ctx);
  };
}

/** Wraps a handler of the page. A browser gets it without a credential, as the page asks for the token; a credential must be an admin's. */
function forVisitors(handler: Handler, requireToken: Step): Handler {
  const handleAdmin = forAdmins(handler);
  return async (ctx) => {
    if (readCredential(ctx.req.headers).kind === 'none') await handler(ctx);
    else await requireToken(ctx, () => handleAdmin(ctx));
  };
}

/** The handler of a request's method. */
function handlerOf(ctx: RequestContext, methods: Readonly<Record<string, Handler>>): Handler {
  const handler = methods[ctx.method === 'HEAD' ? 'GET' : ctx.method];
  if (handler !== undefined) return handler;
  const allow = Object.keys(methods).join(', ');
  throw new HttpError(405, 'method_not_allowed', `Use ${allow} here.`, { headers: { Allow: allow } });
}

/** Answers 404 for a path that the API does not have. */
const answerUnknown: Handler = () => {
  throw new HttpError(404, 'not_found', 'The API for admins has no such path. GET /admin is its page.');
};

/** Refuses callers who are not admins. */
function requireAdmin(ctx: RequestContext): void {
  const { user, isOfSignIn = false } = grantOf(ctx);
  const { scopes, subject } = user;
  // The scope `admin` of an identity provider is about something else: its users have no entry here.
  if (subject !== undefined || scopes?.includes(ADMIN_SCOPE) !== true)
    throw insufficientScope({ words: NO_ADMIN, besides: `, scope="${ADMIN_SCOPE}"` });
  // A client that a user has allowed to use tools could make tokens here that outlive its sign-in.
  if (isOfSignIn) throw insufficientScope({ words: NO_SIGN_IN, besides: '' });
}

/** The challenge names no scope either: no sign-in gives access. */
const NO_SIGN_IN =
  "A token that was issued by signing in does not open this, even if its entry lists the scope 'admin'. Send the token of the entry itself.";

/** The challenge names no address to sign in at: the entry itself must list the scope, and no sign-in adds it. */
const NO_ADMIN =
  "This is for admins: it needs a token whose entry lists the scope 'admin' itself. Make one with: npm run token -- create --user me --scopes admin";
