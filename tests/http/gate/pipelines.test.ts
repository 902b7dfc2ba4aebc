/** Pipelined requests are handled one after the other, and never keep other clients waiting. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { inTurn } from '../../../src/http/gate/pipelines.ts';
import { eventually, openRaw } from '../../support/raw-http.ts';
import { ADA, startTestServer } from '../../support/start-server.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Starts a server that handles the requests of a connection in turn; resolves to its URL. */
async function start(handle: RequestListener): Promise<string> {
  server = createServer(inTurn(handle));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The text of so many requests; the path of each is its number. */
function requests(count: number): string {
  return Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');
}

test('pipelined requests are each handled in a turn of the event loop of their own', async () => {
  let turn = 0;
  let isOver = false;
  const count = (): void => void (isOver || ((turn += 1), setImmediate(count)));
  const taken: [path: string | undefined, turn: number][] = [];
  const url = await start((req, res) => {
    taken.push([req.url, turn]);
    res.end('answer');
  });
  const connection = await openRaw(url);

  count();
  connection.write(requests(80));
  await eventually(() => connection.received().split('answer').length > 80).finally(() => (isOver = true));
  connection.socket.destroy();

  expect(taken.map(([path]) => path)).toEqual(Array.from({ length: 80 }, (_, at) => `/${at}`));
  expect(new Set(taken.map(([, at]) => at)).size).toBe(80);
});

test('a pipelined request waits until the one before it is answered, and is dropped when its client has gone', async () => {
  const open: ServerResponse[] = [];
  const url = await start((_req, res) => open.push(res));
  const connection = await openRaw(url);

  connection.write(requests(3));
  await eventually(() => open.length === 1);
  open[0]?.end('first');
  await eventually(() => open.length === 2);
  const counted = open.length;
  connection.socket.destroy();
  await eventually(() => open[1]?.destroyed === true);
  // A request that is not dropped would be handled one turn later.
  await nextTurn();
  await nextTurn();

  expect(counted).toBe(2);
  expect(open).toHaveLength(2);
});

test.each([
  { waiting: 100, taken: 101 },
  { waiting: 101, taken: 1 },
])(
  'with $waiting requests waiting, $taken are handled: more than a hundred close the connection',
  async ({ waiting, taken }) => {
    const open: ServerResponse[] = [];
    let took = 0;
    const url = await start((_req, res) => {
      took += 1;
      if (took === 1) open.push(res);
      else res.end('answer');
    });
    const connection = await openRaw(url);

    connection.write(requests(waiting + 1));
    await eventually(() => took === 1);
    open[0]?.end('answer');
    await eventually(
      () => connection.received().split('answer').length > waiting + 1 || connection.socket.destroyed,
    );
    connection.socket.destroy();

    expect(took).toBe(taken);
  },
);

test('garbage after pipelined requests gets its 400 after all of them have been answered', async () => {
  const own = await startTestServer();
  const connection = await openRaw(own.url);
  const tools = `GET /tools HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`;
  const health = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

  connection.write(`${tools}GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n${tools}${health}nonsense\r\n\r\n`);
  const received = await connection.closed();
  await own.close();

  expect([...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).toEqual([
    '200',
    '401',
    '200',
    '200',
    '400',
  ]);
});
