/** `/health` and `/ready`: is the process alive, and should it get new work. */
import type { RequestContext, Route } from '../context.ts';

/** What is asked for the answers. */
export interface HealthParts {
  readonly version: string;
  readonly isReady: () => boolean;
}

/** The two public routes. */
export function createHealthRoutes({ version, isReady }: HealthParts): Route[] {
  const health = (ctx: RequestContext): void => {
    ctx.body = { status: 'ok', version };
  };
  const ready = (ctx: RequestContext): void => {
    ctx.status = isReady() ? 200 : 503;
    ctx.body = { status: isReady() ? 'ready' : 'draining' };
  };
  return [
    { path: '/health', methods: { GET: health, HEAD: health }, access: 'public' },
    { path: '/ready', methods: { GET: ready, HEAD: ready }, access: 'public' },
  ];
}
