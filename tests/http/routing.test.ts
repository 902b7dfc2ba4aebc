/** Routes with a pattern: a path that differs by a trailing slash or by case does not match. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Koa from 'koa';
import type { RequestState, Step } from '../../src/http/context.ts';
import { createRouting } from '../../src/http/routing.ts';
import { send } from '../support/raw-http.ts';

/** Lets every request in. */
const letIn: Step = (_ctx, next) => next();

/** Answers the request. */
const handle = (ctx: { body: unknown }): void => void (ctx.body = 'found');

let server: Server;
let url: string;
beforeAll(async () => {
  const { find, serve } = createRouting([{ path: '/files/:name', methods: { GET: handle } }], letIn);
  const app = new Koa<RequestState>();
  const answer = app.use(find).use(serve).callback();
  server = createServer((req, res) => void answer(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

test.each([
  ['/files/one', 200],
  ['/files/one/', 404],
  ['/Files/one', 404],
  ['/files/one/two', 404],
])('GET %s answers %i', async (path, status) => {
  expect((await send(`${url}${path}`)).status).toBe(status);
});
