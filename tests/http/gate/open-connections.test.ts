/** A client that is for ever behind with what it has been sent is cut, by a clock of the test's own, however slowly it reads; others are not. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { OpenConnections } from '../../../src/http/gate/open-connections.ts';
import { eventually, openRaw, type RawConnection } from '../../support/raw-http.ts';

const MINUTE_MS = 60_000;

/** An answer that no system takes whole for a client that does not read. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);

let nowMs: number;
let server: Server;
let connections: OpenConnections;
beforeEach(async () => {
  nowMs = 1_000_000;
  // Longer than any test: Node closes idle connections of its own accord.
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

/** Asks for a path on a connection of its own, and reads nothing of the answer. */
async function ask(path: string): Promise<RawConnection> {
  const client = await openRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.socket.pause();
  const answered = once(server, 'request');
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await answered;
  return client;
}

/** Lets time pass, with a look each minute. */
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

test('a client that takes a little now and then is cut after ten minutes, and one that waits for nothing is not', async () => {
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

test('a client that has caught up in between has its ten minutes again', async () => {
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
