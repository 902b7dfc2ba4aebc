/**
 * Spares answers that are written past Koa what Koa does for its own: a watch on the response and its connection, which outlives
 * the request where the answer is a stream, and a look at what there is to write. With and without it, `npm run bench -- --only
 * streamable` differs by about a tenth. Delete this file and its use, and nothing changes.
 */
import type Koa from 'koa';
import type { RequestContext, RequestState } from './context.ts';

/** What Koa's types leave out: the method through which every request goes, which frameworks on Koa override. */
interface RequestHandling {
  handleRequest(ctx: RequestContext, run: (ctx: RequestContext) => Promise<unknown>): Promise<unknown>;
}

/** Has the middleware run first, and Koa only see what has not been answered by then. */
export function handleDirectly(app: Koa<RequestState>): void {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the gap in the types; a test notices if the method goes away
  const handling = app as unknown as RequestHandling;
  const handleByKoa = handling.handleRequest.bind(app);
  handling.handleRequest = async (ctx, run) => {
    // As Koa begins: whoever only sets a body means 200, whoever sets nothing 404.
    ctx.res.statusCode = 404;
    const ran = run(ctx);
    const isAnswered = await ran.then(
      () => ctx.respond === false,
      () => false,
    );
    if (isAnswered) return undefined;
    const { statusCode } = ctx.res;
    return handleByKoa(ctx, async () => {
      await ran;
      ctx.res.statusCode = statusCode;
    });
  };
}
