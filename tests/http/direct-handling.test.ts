/** What is answered past Koa is spared Koa's work, and what is not is answered by Koa as ever. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import type { RequestContext, RequestState, Step } from '../../src/http/context.ts';
import { handleDirectly } from '../../src/http/direct-handling.ts';
import { send } from '../support/raw-http.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Serves one middleware, with the short way or without; resolves to the address. */
async function serve(step: Step, { isShort }: { readonly isShort: boolean }): Promise<string> {
  const app = new Koa<RequestState>();
  app.silent = true;
  if (isShort) handleDirectly(app);
  app.use(step);
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers past Koa and tells how many listen for the end of the response. */
function answerDirectly(ctx: RequestContext): void {
  ctx.respond = false;
  ctx.res.end(String(ctx.res.listenerCount('finish') + ctx.res.listenerCount('end')));
}

test('an answer past Koa is not watched, which it is by Koa alone', async () => {
  const [short, long] = await Promise.all([
    serve(answerDirectly, { isShort: true }),
    serve(answerDirectly, { isShort: false }),
  ]);

  const watchers = [Number((await send(short)).text), Number((await send(long)).text)];

  expect(watchers[0]).toBeLessThan(watchers[1] ?? 0);
});

describe('an answer of Koa is the same by either way', () => {
  const cases: readonly { readonly what: string; readonly step: Step }[] = [
    { what: 'nothing at all', step: () => undefined },
    { what: 'a text', step: (ctx) => void (ctx.body = 'text') },
    { what: 'an object', step: (ctx) => void (ctx.body = { a: 1 }) },
    { what: 'no content', step: (ctx) => void (ctx.status = 204) },
    { what: 'null', step: (ctx) => void (ctx.body = null) },
    { what: 'a status with a body', step: (ctx) => void Object.assign(ctx, { status: 418, body: 'tea' }) },
    { what: 'a status alone', step: (ctx) => void (ctx.status = 403) },
    { what: 'headers', step: (ctx) => void (ctx.set('X-A', 'b'), (ctx.body = '')) },
    { what: 'something later', step: (ctx) => Promise.resolve().then(() => void (ctx.body = 'late')) },
    {
      what: 'an error',
      step: () => {
        throw new Error('broken');
      },
    },
    { what: 'an error with a status', step: (ctx) => ctx.throw(409, 'taken') },
    { what: 'a rejection', step: async (ctx) => ctx.throw(400) },
  ];

  test.each(cases)('$what', async ({ step }) => {
    const [short, long] = await Promise.all([
      serve(step, { isShort: true }),
      serve(step, { isShort: false }),
    ]);

    const answers = await Promise.all([send(short), send(long), send(short, { method: 'HEAD' })]);

    const [one, other, headed] = answers.map(({ status, headers, text }) => ({
      status,
      text,
      headers: [...headers].filter(([name]) => name !== 'date'),
    }));
    expect(one).toEqual(other);
    expect([headed?.status, headed?.text]).toEqual([other?.status, '']);
  });
});
