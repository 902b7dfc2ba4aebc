/** Connections are limited in total and for each address, and an answer may wait unread only for a limited time. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { guardConnections, warnAboutDescriptors } from '../../../src/http/gate/connections.ts';
import { createMemoryLog } from '../../support/memory-log.ts';
import { eventually, openRaw, sendRaw } from '../../support/raw-http.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/** An answer larger than any socket buffer, so that a client that does not read keeps some of it waiting. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);

/** Starts a server with these limits: `/large` answers with LARGE, `/slow` when `answerSlow` is called, everything else at once. */
async function start(limits: { total?: number; perAddress?: number; unreadMs?: number }) {
  const { log, lines } = createMemoryLog();
  const slow: ServerResponse[] = [];
  const server = createServer((req, res) => {
    if (req.url === '/slow') slow.push(res);
    else res.end(req.url === '/large' ? LARGE : 'small');
  });
  guardConnections(server, {
    maxConnections: limits.total ?? 100,
    maxConnectionsPerAddress: limits.perAddress ?? 100,
    ...(limits.unreadMs !== undefined && { unreadMs: limits.unreadMs }),
    log,
  });
  servers.push(server);
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    lines,
    answerSlow: () => slow.map((res) => res.end('slow')),
  };
}

/** Whether a new connection is served. */
async function isServed(url: string): Promise<boolean> {
  return (await sendRaw(url, ['GET / HTTP/1.1', 'Host: x'])).status === 200;
}

/** How many connections the server has. */
async function countConnections(): Promise<number> {
  const [server] = servers;
  return server === undefined ? 0 : promisify(server.getConnections.bind(server))();
}

/** Opens connections to an address, one after another. */
async function open(count: number, port: number, host = '127.0.0.1'): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ host, port });
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return sockets;
}

test('connections beyond MAX_CONNECTIONS are closed and logged once, and new ones are accepted when others have closed', async () => {
  const { port, url, lines } = await start({ total: 3 });
  const sockets = await open(6, port);
  await eventually(() => sockets.filter(({ closed }) => closed).length === 3);

  for (const socket of sockets) socket.destroy();
  await eventually(() => isServed(url));

  expect(lines.filter(({ msg }) => String(msg).includes('too many'))).toMatchObject([
    { limit: 'MAX_CONNECTIONS', most: 3, turnedAway: 1 },
  ]);
});

test('connections of an address beyond its share are closed, those of other addresses are not, and loopback has no such limit', async () => {
  const own = Object.values(networkInterfaces()).flat().find((face) => face?.family === 'IPv4' && !face.internal); // prettier-ignore
  // Without a network there is no other address to come from.
  if (own === undefined) return;
  const { port, url, lines } = await start({ perAddress: 2 });
  const local = await open(4, port);
  const sockets = await open(4, port, own.address);
  await eventually(() => sockets.filter(({ closed }) => closed).length === 2);

  sockets[0]?.destroy();
  await eventually(() => isServed(`http://${own.address}:${port}`));

  expect(await isServed(url)).toBe(true);
  expect(local.every(({ closed }) => !closed)).toBe(true);
  expect(lines.filter(({ msg }) => String(msg).includes('one address'))).toMatchObject([
    { limit: 'MAX_CONNECTIONS_PER_ADDRESS', most: 2 },
  ]);
});

test('a client that does not read its answer is disconnected, one that waits for a slow answer is not', async () => {
  const { url, answerSlow } = await start({ unreadMs: 200 });
  const slow = await openRaw(url);
  slow.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  const unread = await openRaw(url);
  unread.socket.pause();
  unread.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');

  await eventually(async () => (await countConnections()) === 1);
  answerSlow();

  expect(await slow.waitFor(/slow$/)).toMatch(/^HTTP\/1.1 200/);
});

test('an answer may wait unread for 30 seconds by default', async () => {
  await start({});

  expect(servers[0]?.timeout).toBe(30_000);
});

test('the start warns when the process may open too few file descriptors for its sessions, and says how many it needs', () => {
  const { log, lines } = createMemoryLog();

  warnAboutDescriptors(1, log);
  warnAboutDescriptors(1_000_000_000, log);

  expect(lines).toMatchObject([{ level: 'warn', needed: 1_000_000_064 }]);
});
