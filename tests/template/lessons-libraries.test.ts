/** What docs/06_LESSONS_LEARNED.md says of libraries, seen on the libraries alone: a version that behaves otherwise fails here. */
import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Router } from '@koa/router';
import { afterEach, expect, test } from '@jest/globals';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import Koa from 'koa';
import { pino } from 'pino';
import { createSandbox, waitFor } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Listens on a free port until the test is over. */
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  sandbox.defer(async () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Opens a connection that sends nothing by itself. */
async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  sandbox.defer(async () => socket.destroy());
  return socket;
}

test('Koa drops the headers that were set before a throw', async () => {
  const app = new Koa();
  app.silent = true;
  app.use((ctx) => {
    ctx.set('X-Request-Id', '1');
    ctx.throw(404);
  });
  const port = await listen(createServer((req, res) => void app.callback()(req, res)));

  const response = await fetch(`http://127.0.0.1:${port}/`);

  expect([response.status, response.headers.get('x-request-id')]).toEqual([404, null]);
});

test('a handler given to router.get also answers HEAD', async () => {
  const asked: string[] = [];
  const router = new Router();
  router.get('/stream', (ctx) => {
    asked.push(ctx.method);
    ctx.body = 'a stream';
  });
  const app = new Koa().use(router.routes());
  const port = await listen(createServer((req, res) => void app.callback()(req, res)));

  const response = await fetch(`http://127.0.0.1:${port}/stream`, { method: 'HEAD' });

  expect(response.status).toBe(200);
  expect(asked).toEqual(['HEAD']);
});

test('a write to an ended response whose client does not read is an error event, which throws when nobody listens', async () => {
  const responses: ServerResponse[] = [];
  const server = createServer((_req, res) => responses.push(res));
  const port = await listen(server);
  const socket = await openSocket(port);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const response = await waitFor('the request', () => responses[0]);

  const failed = once(response, 'error');
  response.end('x'.repeat(20_000_000));
  response.write('one more');

  expect(response.writableFinished).toBe(false);
  expect(await failed).toMatchObject([{ code: 'ERR_STREAM_WRITE_AFTER_END' }]);
});

test('Node counts a write as sent only when all of it is out', async () => {
  const responses: ServerResponse[] = [];
  const port = await listen(createServer((_req, res) => responses.push(res)));
  const socket = await openSocket(port);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const response = await waitFor('the request', () => responses[0]);
  let received = 0;
  let waitingWhileReading = 0;

  const size = 30_000_000;
  response.writeHead(200, { 'Content-Length': String(size) });
  response.write(Buffer.alloc(size));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    // The client has most of it, and still the whole write counts as waiting.
    if (received < size * 0.7) waitingWhileReading = response.writableLength;
  });
  await waitFor('all of it', () => received >= size);

  expect(waitingWhileReading).toBeGreaterThanOrEqual(size);
});

test('server.close() waits for an open stream, and closeIdleConnections() spares a connection that never asked', async () => {
  const responses: ServerResponse[] = [];
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': open\n\n');
    responses.push(res);
  });
  const port = await listen(server);
  const silent = await openSocket(port);
  const streaming = await openSocket(port);
  streaming.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await waitFor('the stream', () => responses[0]);
  let isClosed = false;
  server.close(() => (isClosed = true));

  server.closeIdleConnections();
  const streamIsOpen = responses[0]?.writable === true && !isClosed;
  responses[0]?.end();
  await once(responses[0] ?? server, 'close');
  server.closeIdleConnections();
  const waitsForSilent = !isClosed && !silent.destroyed;
  const closed = once(server, 'close');
  silent.destroy();
  streaming.destroy();
  await closed;

  expect([streamIsOpen, waitsForSilent, isClosed]).toEqual([true, true, true]);
});

/** A server of the SDK with the tool `hold`, and a client's end of a connection to it on which `initialize` has been sent. */
async function connectSdk(hold: Promise<void>) {
  const [client, transport] = InMemoryTransport.createLinkedPair();
  const server = new McpServer({ name: 'probe', version: '1.0.0' });
  server.registerTool('hold', {}, async () => hold.then(() => ({ content: [] })));
  const answers: { readonly id?: unknown }[] = [];
  // oxlint-disable-next-line prefer-add-event-listener -- the SDK's transports have no other way
  client.onmessage = (message) => 'id' in message && answers.push(message);
  await server.connect(transport);
  sandbox.defer(async () => server.close());
  const clientInfo = { name: 'test', version: '1.0.0' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  await client.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  return { client, answers };
}

test('the SDK answers wrong parameters of tools/list with -32603', async () => {
  const { client, answers } = await connectSdk(Promise.resolve());

  await client.send({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: 5 } });
  const answer = await waitFor('the answer', () => answers.find(({ id }) => id === 2));

  expect(answer).toMatchObject({ error: { code: -32_603 } });
});

test('the SDK answers a cancelled request with nothing', async () => {
  const release = new EventEmitter();
  const held = once(release, 'now').then(() => undefined);
  const { client, answers } = await connectSdk(held);

  await client.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold' } });
  await client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
  release.emit('now');
  await held;
  await client.send({ jsonrpc: '2.0', id: 3, method: 'ping' });
  await waitFor('the answer to what came last', () => answers.some(({ id }) => id === 3));

  expect(answers.map(({ id }) => id)).toEqual([1, 3]);
});

/** How many fields of a line with three of them pino looks into for a secret. */
function fieldsLookedInto(paths: string[]): number {
  let written = '';
  const log = pino({ base: null, redact: { paths } }, { write: (line) => (written += line) });
  log.info({ path: { token: 'a' }, user: { token: 'b' }, tool: { token: 'c' } }, 'request');
  return written.split('{"token":"[Redacted]"}').length - 1;
}

test('wildcards in the paths of pino’s redact look into every field of every line', () => {
  expect(fieldsLookedInto(['token'])).toBe(0);
  expect(fieldsLookedInto(['token', '*.token'])).toBe(3);
});

test('a garbage collection makes Node 20 forget AbortSignal.any over a timeout', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heard: string[] = [];
  const combined = AbortSignal.any([AbortSignal.timeout(1_000)]);
  combined.addEventListener('abort', () => heard.push('combined'));
  const later = AbortSignal.timeout(1_100);

  // What has been made in this turn is not collected in it.
  await nextTurn();
  collect();
  await once(later, 'abort');

  // Mended in later ones: when 20 is gone, so may this be.
  expect(heard).toEqual(process.versions.node.startsWith('20.') ? [] : ['combined']);
});
