/** `/health` and `/ready`: is the process alive, and should it get new work. */
import type { RequestContext, Route } from '../context.ts';

/** What is asked for the answers. */
export interface HealthParts {
  readonly version: string;
  /** Why the server should get no new work; undefined when it should. */
  readonly findObstacle: () => Promise<string | undefined>;
  /** Whether it does not do all that it should, but what it does cannot be had elsewhere. */
  readonly isDegraded: () => boolean;
}

/** The two public routes. */
export function createHealthRoutes({ version, findObstacle, isDegraded }: HealthParts): Route[] {
  const health = (ctx: RequestContext): void => {
    ctx.body = { status: 'ok', version };
  };
  const ready = async (ctx: RequestContext): Promise<void> => {
    const obstacle = await findObstacle();
    ctx.status = obstacle === undefined ? 200 : 503;
    ctx.body = { status: obstacle ?? (isDegraded() ? 'degraded' : 'ready') };
  };
  return [
    { path: '/health', methods: { GET: health, HEAD: health }, access: 'public', isProbe: true },
    { path: '/ready', methods: { GET: ready, HEAD: ready }, access: 'public', isProbe: true },
  ];
}
