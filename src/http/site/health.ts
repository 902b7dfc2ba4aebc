/** `/health` and `/ready`: is the process alive, and should it get new work. */
import type { RequestContext, Route } from '../context.ts';
import { JSON_HEADERS_WITH_CHARSET, writeAnswer } from '../direct-answer.ts';

/** What the answers are made from. */
export interface HealthParts {
  readonly version: string;
  /** Why the server should get no new work; undefined when it should. */
  readonly findObstacle: () => Promise<string | undefined>;
  /** Whether it cannot do everything, but should get new work all the same, as no other process can do what it does. */
  readonly isDegraded: () => boolean;
}

/** Makes the two public routes. */
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

/** The properties of both. Koa would test whether a body is a `Response` of Node's HTTP client, and so load that client: 20 ms of a start. */
const PROBE = { access: 'public', isProbe: true, answersItself: true } as const;

/** The headers of a 503. Like every 503 here, it says when to try again: in 5 seconds. */
const UNREADY_HEADERS = [...JSON_HEADERS_WITH_CHARSET, 'Retry-After', '5'];

/** Writes an answer. */
function answer(ctx: RequestContext, status: number, body: object): void {
  writeAnswer(ctx, status, {
    text: JSON.stringify(body),
    headers: status === 503 ? UNREADY_HEADERS : JSON_HEADERS_WITH_CHARSET,
  });
}
