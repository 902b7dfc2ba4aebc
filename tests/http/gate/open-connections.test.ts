/** A client that stays behind with reading its answers is disconnected after ten minutes, however slowly it reads. The test sets the clock. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { OpenConnections } from '../../../src/http/gate/open-connections.ts';
import { eventually, openRaw, type RawConnection } from '../../support/raw-http.ts';

const MINUTE_MS = 60_000;

/** An answer larger than any socket buffer, so that a client that does not read keeps some of it waiting. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);

let nowMs: number;
let server: Server;
let connections: OpenConnections;
beforeEach(async () => {
  nowMs = 1_000_000;
  // Longer than any test: Node.js closes idle connections by itself.
  server = createServer(
    { keepAliveTimeout: 600_000 },
    (req, res) => void res.end(req.url === '/large' ? LARGE : 'small'),
  );
  connections = new OpenConnections(server, () => nowMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Requests a path on a connection of its own, and reads nothing of the answer. */
async function ask(path: string): Promise<RawConnection> {
  const client = await openRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.socket.pause();
  const answered = once(server, 'request');
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await answered;
  return client;
}

/** Moves the clock on by so many minutes, with a check after each. */
function pass(minutes: number): void {
  for (let minute = 0; minute < minutes; minute += 1) {
    connections.cutThoseBehind();
    nowMs += MINUTE_MS;
  }
  connections.cutThoseBehind();
}

/** How many connections the server has. */
async function countConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

test('a client that reads a little now and then is disconnected after ten minutes, an idle one is not', async () => {
  const slow = await ask('/large');
  const quick = await ask('/small');
  for (let minute = 0; minute < 9; minute += 1) {
    pass(1);
    slow.socket.once('data', () => slow.socket.pause()).resume();
    await once(slow.socket, 'data');
  }
  const before = await countConnections();

  pass(1);

  await eventually(async () => (await countConnections()) === 1);
  expect(before).toBe(2);
  quick.socket.resume();
  expect(await quick.waitFor(/small$/)).toMatch(/^HTTP\/1\.1 200/);
});

test('a client that has once read everything gets another ten minutes', async () => {
  const client = await ask('/large');
  pass(9);
  client.socket.resume();
  await eventually(() => client.received().length > LARGE.length);
  connections.cutThoseBehind();
  client.socket.pause();
  client.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(server, 'request');

  pass(9);

  expect(await countConnections()).toBe(1);
  client.socket.destroy();
});
