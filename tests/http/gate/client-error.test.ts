/** Bytes that are no HTTP request get an error in JSON, and bytes behind a request or a response never damage an answer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, openRaw, parseAnswer, send } from '../../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
});

describe('a request that cannot be parsed', () => {
  test.each([
    { what: 'nonsense', bytes: 'nonsense\r\n\r\n', status: 400 },
    {
      what: 'a target that is none',
      bytes: 'OPTIONS health HTTP/1.1\r\nHost: localhost\r\n\r\n',
      status: 400,
    },
    { what: 'the beginning of TLS', bytes: '\u0016\u0003\u0001\u0002\u0000', status: 400 },
    { what: 'a broken header', bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n', status: 400 },
    {
      what: 'headers that are too large',
      bytes: `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`,
      status: 431,
    },
  ])('$what is $status in JSON, with the headers of every answer', async ({ bytes, status }) => {
    const connection = await openRaw(server.url);

    connection.write(bytes);
    const answer = parseAnswer(await connection.closed());

    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: 'bad_request', error_description: expect.any(String) });
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Number(answer.headers.get('content-length'))).toBe(answer.text.length);
  });

  test('is answered also when the client goes on sending and reads later', async () => {
    const connection = await openRaw(server.url);
    connection.socket.pause();
    connection.write('OPTIONS health HTTP/1.1\r\n');
    await eventually(async () => (await send(`${server.url}/health`)).status === 200);
    for (let sent = 0; sent < 50; sent += 1) connection.write(`X-Header-${sent}: value\r\n`);
    await eventually(() => connection.socket.writableLength === 0 || connection.socket.destroyed);
    connection.socket.resume();

    const answer = parseAnswer(await connection.closed());

    expect(answer.status).toBe(400);
  });

  test('is answered and its connection closed although the client never stops sending', async () => {
    const connection = await openRaw(server.url);
    connection.write('nonsense\r\n\r\n');
    const sending = setInterval(() => connection.write('more'), 20);

    const received = await connection.closed(3_000);
    clearInterval(sending);

    expect(received).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test('garbage after an answered request on a kept-alive connection gets a 400 of its own', async () => {
  const connection = await openRaw(server.url);
  connection.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await connection.waitFor(/"ok"/);

  connection.write('nonsense\r\n\r\n');
  const received = await connection.closed();

  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('garbage after a request that is still unanswered gets its 400 after the answer to the request', async () => {
  const connection = await openRaw(server.url);

  connection.write('GET /page/page.js HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n');
  const received = await connection.closed();

  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('garbage after the request of an open event stream closes the stream and writes nothing into it', async () => {
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  await connection.waitFor(/event: endpoint/);

  connection.write('nonsense\r\n\r\n');
  const received = await connection.closed();

  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
});
