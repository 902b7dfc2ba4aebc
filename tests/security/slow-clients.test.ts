/** Clients that send slowly or not at all: they are cut in time, slow nobody else, and streams are exempt. */
import { channel } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { eventually, openRaw, send } from '../support/raw-http.ts';
import { openSse } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => server.close()));
});

/** Starts a server and gets hold of Node's own, which tells of itself with every request. */
async function start(): Promise<{ url: string; node: Server }> {
  const server = await startTestServer();
  servers.push(server);
  const found: Server[] = [];
  const listener = (message: unknown): void => void found.push((message as { server: Server }).server);
  const requests = channel('http.server.request.start');
  requests.subscribe(listener);
  await send(`${server.url}/health`);
  requests.unsubscribe(listener);
  const node = found.find((candidate) =>
    server.url.endsWith(`:${(candidate.address() as AddressInfo).port}`),
  );
  if (node === undefined) throw new Error('The server took no request.');
  return { url: server.url, node };
}

test('heads are waited for 15 s at most, whole requests 30 s, and idle connections longer than a load balancer keeps them', async () => {
  const { node } = await start();

  expect(node.headersTimeout).toBeGreaterThan(0);
  expect(node.headersTimeout).toBeLessThanOrEqual(15_000);
  expect(node.requestTimeout).toBeGreaterThan(0);
  expect(node.requestTimeout).toBeLessThanOrEqual(30_000);
  expect(node.keepAliveTimeout).toBeGreaterThan(60_000);
});

test('who sends nothing, half a head or half a body is cut after that time, while others are served and streams go on', async () => {
  const { url, node } = await start();
  // The same clock with shorter times; Node looks every five seconds, as it does in earnest.
  node.headersTimeout = 500;
  node.requestTimeout = 1_000;
  const stream = await openSse(url, ADA);
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n`;
  const starts = ['', 'GET / HT', head, `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json`];
  const slow = await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const connection = await openRaw(url);
    connection.write(starts[index % starts.length] ?? '');
    return connection;
  }));

  const startedMs = Date.now();
  const answer = await send(`${url}/tools`, { token: ADA });
  const tookMs = Date.now() - startedMs;
  await Promise.all(slow.map(async (connection) => connection.closed(12_000)));
  await stream.post({ jsonrpc: '2.0', id: 1, method: 'ping' });

  expect(answer.status).toBe(200);
  expect(tookMs).toBeLessThan(2_000);
  expect(slow.filter((connection) => /^HTTP\/1\.1 [^4]/.test(connection.received()))).toEqual([]);
  expect(await stream.answerTo(1)).toMatchObject({ result: {} });
  await eventually(() => slow.every(({ socket }) => socket.destroyed));
  stream.close();
}, 30_000); // prettier-ignore
