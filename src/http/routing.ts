/** From a path to its route, and from a method to its handler. */
import { Router } from '@koa/router';
import type { RequestState, Route, Step } from './context.ts';
import { HttpError } from './errors.ts';
import { addSecurityHeaders } from './security-headers.ts';

/** The routes as middleware. */
export interface Routing {
  /** Notes the route of a request, before anything is decided about it. */
  readonly find: Step;
  /** Serves the routes that are a path as it is. */
  readonly serveFound: Step;
  /** Serves the routes that are a pattern. */
  readonly servePatterns: ReturnType<Router<RequestState>['routes']>;
}

/** Makes the middleware of the routes; `requireGrant` stands in front of those that are not public. */
export function createRouting(routes: readonly Route[], requireGrant: Step): Routing {
  // A look-up finds a path as it is; the router tries one pattern after another and builds a chain for each request.
  const table = new Map<string, Route>();
  const servers = new Map<Route, Step>();
  const router = new Router<RequestState>({ strict: true, sensitive: true });
  for (const route of routes) {
    const handle = dispatch(route);
    const serve: Step =
      route.access === 'public' ? handle : (ctx, next) => requireGrant(ctx, () => handle(ctx, next));
    if (/[{:*]/.test(route.path)) router.all(route.path, serve);
    else {
      table.set(route.path, route);
      servers.set(route, serve);
    }
  }
  const serveFound: Step = (ctx, next) => {
    const serve = ctx.state.route && servers.get(ctx.state.route);
    return serve === undefined ? next() : serve(ctx, next);
  };
  return {
    find(ctx, next) {
      const route = table.get(ctx.path);
      if (route !== undefined) ctx.state.route = route;
      return next();
    },
    serveFound,
    servePatterns: router.routes(),
  };
}

/** Hands a request to the handler of its method. */
function dispatch({ methods, protocol }: Route): Step {
  const table = new Map(Object.entries(methods));
  const allow = [...table.keys()].join(', ');
  return (ctx) => {
    if (protocol === 'mcp') ctx.state.speaksJsonRpc = true;
    else addSecurityHeaders(ctx);
    const handler = table.get(ctx.method);
    if (handler === undefined) {
      throw new HttpError(405, 'method_not_allowed', `Use ${allow} here.`, { headers: { Allow: allow } });
    }
    return handler(ctx);
  };
}
