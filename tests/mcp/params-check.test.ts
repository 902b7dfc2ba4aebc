/** Parameters of the wrong types are -32602 on every transport, and unknown methods stay -32601. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openMcpSession, rpc } from '../support/raw-http.ts';
import { openSse } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    features: [{ name: 'logging', options: { capabilities: { logging: {} } } }],
  });
});
afterAll(async () => {
  await server.close();
});

const WRONG: [string, unknown][] = [
  ['tools/list', { cursor: {} }],
  ['tools/list', { cursor: 5 }],
  ['tools/call', { name: 5 }],
  ['tools/call', { name: 'whoami', arguments: [] }],
  ['tools/call', {}],
  ['logging/setLevel', { level: 'loud' }],
];

describe.each(WRONG)('%s with %j', (method, params) => {
  test('is -32602 over Streamable HTTP, and the session goes on', async () => {
    const session = await openMcpSession(server.url, ADA);

    const answer = await session.post(rpc('x', method, params));
    const after = await session.post(rpc('y', 'ping'));

    expect(answer.body).toMatchObject({ id: 'x', error: { code: -32_602 } });
    expect(after.body).toEqual({ result: {}, jsonrpc: '2.0', id: 'y' });
  });

  test('is -32602 on the stream of HTTP+SSE', async () => {
    const session = await openSse(server.url, ADA);

    await session.post(rpc(7, method, params));
    const answer = await session.answerTo(7);
    session.close();

    expect(answer).toMatchObject({ id: 7, error: { code: -32_602 } });
  });
});

test('a method that this server does not have is -32601, whatever its parameters', async () => {
  const session = await openMcpSession(server.url, ADA);

  const answer = await session.post(rpc(1, 'prompts/get', { name: 5 }));

  expect(answer.body).toMatchObject({ id: 1, error: { code: -32_601 } });
});
