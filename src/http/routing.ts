/** Finds the route of a path, and the handler of a method. */
import type { Router } from '@koa/router';
import type { RequestState, Route, Step } from './context.ts';
import { HttpError } from './errors.ts';

/** The routes as middleware. */
export interface Routing {
  /** Notes the route of a request, if a route has exactly its path, before the guards run. */
  readonly find: Step;
  /** Runs the handler of the route; without a route it calls `next`. */
  readonly serve: Step;
}

/** Makes the middleware of the routes; `requireGrant` runs in front of those that are not public. */
export function createRouting(routes: readonly Route[], requireGrant: Step): Routing {
  const gated = (route: Route): Step => {
    const handle = dispatch(route);
    return route.access === 'public' ? handle : (ctx, next) => requireGrant(ctx, () => handle(ctx, next));
  };
  // One look-up finds a fixed path; the router would try one pattern after another, and build a chain for each request.
  const paths = new Map(routes.filter((route) => !isPattern(route)).map((route) => [route.path, route]));
  const steps = new Map([...paths.values()].map((route) => [route, gated(route)]));
  const servePatterns = createPatternStep(routes.filter(isPattern), gated);
  return {
    find(ctx, next) {
      const route = ctx.state.route ?? paths.get(ctx.path);
      if (route !== undefined) ctx.state.route = route;
      return next();
    },
    serve(ctx, next) {
      const step = (ctx.state.route && steps.get(ctx.state.route)) ?? servePatterns;
      return step(ctx, next);
    },
  };
}

/** Whether the path of a route is a pattern, which stands for many paths. */
function isPattern({ path }: Route): boolean {
  return /[{:*]/.test(path);
}

/** Imports the router. That takes half as long as importing Koa itself, so no start waits for it. */
export const loadRouter = () => import('@koa/router');

/** Makes the step that serves the routes whose paths are patterns. */
function createPatternStep(routes: readonly Route[], gated: (route: Route) => Step): Step {
  let loading: Promise<ReturnType<Router<RequestState>['routes']>> | undefined;
  const load = async () => {
    const { Router: PatternRouter } = await loadRouter();
    const router = new PatternRouter<RequestState>({ strict: true, sensitive: true });
    for (const route of routes) router.all(route.path, gated(route));
    return router.routes();
  };
  return async (ctx, next) => {
    loading ??= load();
    const serve = await loading;
    // oxlint-disable-next-line no-unsafe-type-assertion -- the router itself adds what its type wants of a context
    await serve(ctx as Parameters<typeof serve>[0], async () => next());
  };
}

/** Makes the step that hands a request to the handler of its method, or answers 405. */
function dispatch({ methods, protocol }: Route): Step {
  const table = new Map(Object.entries(methods));
  const allow = [...table.keys()].join(', ');
  return (ctx) => {
    if (protocol === 'mcp') ctx.state.speaksJsonRpc = true;
    const handler = table.get(ctx.method);
    if (handler === undefined) {
      throw new HttpError(405, 'method_not_allowed', `Use ${allow} here.`, { headers: { Allow: allow } });
    }
    return handler(ctx);
  };
}
