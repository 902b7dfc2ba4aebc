/** Answers that are written past Koa: they have the same headers as other answers, and each answer and each event is one write. */
import { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { callTool, openMcpSession, send, stateless } from '../support/raw-http.ts';
import { openSse } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => server.close());

/** Counts the writes of the server that are gathered from several buffers; Node.js makes such a write when it is given more than one. */
function watchGathered(): () => number {
  const { port } = new URL(server.url);
  const spy = jest.spyOn(Socket.prototype as Required<Socket>, '_writev');
  return () =>
    spy.mock.contexts.filter((socket) => socket instanceof Socket && String(socket.localPort) === port)
      .length;
}

test('an answer is sent in one write, on every transport, for /tools and for a 401', async () => {
  const session = await openMcpSession(server.url, ADA);
  const countGathered = watchGathered();

  const answers = [
    await session.post(callTool(1, 'echo_message', { message: 'hello' })),
    await session.post(callTool(2, 'echo_message', { message: 'Zoë' })),
    await send(
      `${server.url}/mcp`,
      stateless({ method: 'tools/call', params: { name: 'whoami' } }, { token: ADA }),
    ),
    await send(`${server.url}/tools`, { token: ADA }),
    await send(`${server.url}/tools`),
  ];

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 401]);
  expect(countGathered()).toBe(0);
});

test('an event is sent in one write', async () => {
  const session = await openSse(server.url, ADA);
  const countGathered = watchGathered();

  await session.post(callTool(1, 'echo_message', { message: 'hello' }));
  await session.answerTo(1);

  expect(countGathered()).toBe(0);
  session.close();
});

test('HEAD /tools has the same headers as GET /tools, and no body', async () => {
  const [got, asked] = await Promise.all(
    ['GET', 'HEAD'].map(async (method) => send(`${server.url}/tools`, { method, token: ADA })),
  );

  const headOf = (answer: typeof got): unknown =>
    [...(answer?.headers ?? [])].filter(
      ([name]) => !/^(date|x-request-id|connection|keep-alive)$/.test(name),
    );
  expect(headOf(asked)).toEqual(headOf(got));
  expect(got?.headers.get('content-length')).toBe(String(Buffer.byteLength(got?.text ?? '')));
  expect(asked?.text).toBe('');
});
