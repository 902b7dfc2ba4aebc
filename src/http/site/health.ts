/** `/health` and `/ready`: is the process alive, and should it get new work. */
import type { RequestContext, Route } from '../context.ts';
import { writeAnswer } from '../direct-answer.ts';

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
    answer(ctx, 200, { status: 'ok', version });
  };
  const ready = async (ctx: RequestContext): Promise<void> => {
    const obstacle = await findObstacle();
    const status = obstacle ?? (isDegraded() ? 'degraded' : 'ready');
    answer(ctx, obstacle === undefined ? 200 : 503, { status });
  };
  return [
    { path: '/health', methods: { GET: health, HEAD: health }, ...PROBE },
    { path: '/ready', methods: { GET: ready, HEAD: ready }, ...PROBE },
  ];
}

/** What both are. Koa's own way would have Node make its HTTP client, to see whether a body is one of its responses: 20 ms of a start. */
const PROBE = { access: 'public', isProbe: true, answersItself: true } as const;

const HEADERS = ['Content-Type', 'application/json; charset=utf-8'];

/** As with every 503 here, it is said when to come back: in 5 seconds. */
const UNREADY_HEADERS = [...HEADERS, 'Retry-After', '5'];

/** Writes an answer. */
function answer(ctx: RequestContext, status: number, body: object): void {
  writeAnswer(ctx, status, {
    text: JSON.stringify(body),
    headers: status === 503 ? UNREADY_HEADERS : HEADERS,
  });
}
