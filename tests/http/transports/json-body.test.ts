/** A request body is read once, up to its limit, and only if it is plain JSON in UTF-8. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  eventually,
  openMcpSession,
  openRaw,
  parseAnswer,
  type RawSession,
  rpc,
  sendRaw,
} from '../../support/raw-http.ts';
import { openSse, type SseSession } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const LIMIT = 65_536;
let server: TestServer;
let session: RawSession;
let sse: SseSession;
beforeAll(async () => {
  server = await startTestServer({ env: { MAX_BODY_BYTES: String(LIMIT) } });
  session = await openMcpSession(server.url, ADA);
  sse = await openSse(server.url, ADA);
});
afterAll(async () => {
  sse.close();
  await server.close();
});

type Route = '/mcp' | '/messages';

/** The response to the next request. */
function nextResponse(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    const note = (message: unknown): void => {
      unsubscribe('http.server.request.start', note);
      resolve((message as { response: ServerResponse }).response);
    };
    subscribe('http.server.request.start', note);
  });
}

/** The head of a valid POST with these lines, which replace those of the same name. */
function headOf(route: Route, lines: readonly string[]): string[] {
  const names = new Set(lines.map((line) => line.split(':')[0]?.toLowerCase()));
  const usual = [
    'Host: localhost',
    `Authorization: Bearer ${ADA}`,
    'Accept: application/json, text/event-stream',
    'Content-Type: application/json',
    ...(route === '/mcp' ? [`Mcp-Session-Id: ${session.id}`] : []),
  ];
  return [
    `POST ${route === '/mcp' ? route : `/messages?sessionId=${sse.id}`} HTTP/1.1`,
    ...usual.filter((line) => !names.has(line.split(':')[0]?.toLowerCase())),
    ...lines,
  ];
}

/** Posts a body unchanged. */
function post(route: Route, body: string | Buffer, lines: readonly string[] = []): Promise<Answer> {
  return sendRaw(server.url, headOf(route, [...lines, `Content-Length: ${Buffer.byteLength(body)}`]), body);
}

/** The JSON-RPC error of an answer: status, code and name. */
function errorOf({ status, body }: Answer): unknown[] {
  const { error } = body as { error?: { code: number; data: { error: string } } };
  return [status, error?.code, error?.data.error];
}

const PING = JSON.stringify(rpc(1, 'ping'));

describe.each(['/mcp', '/messages'] as const)('a body of %s', (route) => {
  const OK = route === '/mcp' ? 200 : 202;

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset="utf8"',
    'APPLICATION/JSON',
    ' application/json ; x=y',
  ])('is accepted as %s', async (type) => {
    const answer = await post(route, PING, [`Content-Type: ${type}`]);

    expect(answer.status).toBe(OK);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain; application/json',
    'application/jsonp',
    'application/json-patch+json',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application',
    ';',
    '',
  ])('is 415 as "%s"', async (type) => {
    const answer = await post(route, PING, [`Content-Type: ${type}`]);

    expect(errorOf(answer)).toEqual([415, -32_000, 'unsupported_media_type']);
  });

  test('is 415 without a media type', async () => {
    const head = headOf(route, [`Content-Length: ${PING.length}`]).filter(
      (line) => !line.startsWith('Content-Type'),
    );

    const answer = await sendRaw(server.url, head, PING);

    expect(errorOf(answer)).toEqual([415, -32_000, 'unsupported_media_type']);
  });

  test.each(['gzip', 'deflate', 'br', 'identity, gzip', 'x'])('is 415 with the coding %s', async (coding) => {
    const answer = await post(route, PING, [`Content-Encoding: ${coding}`]);

    expect(errorOf(answer)).toEqual([415, -32_000, 'unsupported_encoding']);
  });

  test('is accepted with the coding identity', async () => {
    const answer = await post(route, PING, ['Content-Encoding: identity']);

    expect(answer.status).toBe(OK);
  });

  test('is accepted at the size limit, and 413 one byte above it', async () => {
    const [at, above] = await Promise.all([
      post(route, PING.padEnd(LIMIT)),
      post(route, PING.padEnd(LIMIT + 1)),
    ]);

    expect(at.status).toBe(OK);
    expect(errorOf(above)).toEqual([413, -32_000, 'body_too_large']);
    expect(above.headers.get('connection')).toBe('close');
  });

  test('is accepted in chunks below the limit', async () => {
    const connection = await openRaw(server.url);
    connection.write(
      `${headOf(route, ['Transfer-Encoding: chunked', 'Connection: close']).join('\r\n')}\r\n\r\n`,
    );
    for (const character of PING) connection.write(`1\r\n${character}\r\n`);
    connection.write('0\r\n\r\n');

    const answer = parseAnswer(await connection.closed());

    expect(answer.status).toBe(OK);
  });

  test.each([
    ['empty', ''],
    ['white space', ' \n'],
    ['cut short', '{"jsonrpc":"2.0"'],
    ['with a comma too many', '{"jsonrpc":"2.0",}'],
    ['with a comment', '{}//'],
    ['NaN', '{"id":NaN}'],
    ['a NUL', '\u0000'],
    ['with a NUL in a string', '{"a":"\u0000"}'],
    ['with a byte order mark within', '{\ufeff}'],
    ['two values', '{}{}'],
    ['of bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['with half a surrogate pair in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['in UTF-16', Buffer.from(PING, 'utf16le')],
    ['in gzip without saying so', Buffer.from([0x1f, 0x8b, 0x08, 0x00])],
  ])('is a parse error when it is %s', async (_what, body) => {
    const answer = await post(route, body);

    expect(errorOf(answer)).toEqual([400, -32_700, 'parse_error']);
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', id: null });
  });

  test('may begin with a byte order mark', async () => {
    const answer = await post(route, `\ufeff${PING}`);

    expect(answer.status).toBe(OK);
  });

  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('is 400 when its %s are nested deeper than 100 levels', async (_what, opening, closing) => {
    const nest = (levels: number): string =>
      PING.replace('}', `,"params":{"a":${opening.repeat(levels)}1${closing.repeat(levels)}}}`);

    const answers = await Promise.all([
      post(route, nest(98)),
      post(route, nest(99)),
      post(route, nest(9_000)),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([OK, 400, 400]);
    expect(answers[1]?.body).toMatchObject({ error: { code: -32_700, data: { error: 'parse_error' } } });
  });

  test('that ends before its declared length does no harm to the server', async () => {
    const connection = await openRaw(server.url);
    connection.write(`${headOf(route, ['Content-Length: 100']).join('\r\n')}\r\n\r\n{`);
    connection.socket.end();
    await connection.closed();

    const after = await post(route, PING);

    expect(after.status).toBe(OK);
    expect(server.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

// One second each: that is how long the server discards what arrives after a refusal.
describe('a body that is too large', () => {
  test('is 413 by its declared length, before any of it is sent', async () => {
    const connection = await openRaw(server.url);
    connection.write(`${headOf('/mcp', ['Content-Length: 99999999999']).join('\r\n')}\r\n\r\n`);

    const answer = parseAnswer(await connection.closed());

    expect(errorOf(answer)).toEqual([413, -32_000, 'body_too_large']);
  });

  test('is 413 in chunks without a declared length, also to a client that sends everything before it reads', async () => {
    const connection = await openRaw(server.url);
    connection.socket.pause();
    connection.write(`${headOf('/mcp', ['Transfer-Encoding: chunked']).join('\r\n')}\r\n\r\n`);
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    // A hundred times the limit. A reset meanwhile would discard the answer that the client has not read yet.
    for (let sent = 0; sent < 100 * LIMIT; sent += 0x4000) connection.write(chunk);
    await eventually(() => connection.socket.writableLength === 0 || connection.socket.destroyed);
    connection.socket.resume();

    const answer = parseAnswer(await connection.closed());

    expect(errorOf(answer)).toEqual([413, -32_000, 'body_too_large']);
  });

  test('that never ends keeps its connection for about a second after the 413', async () => {
    const connection = await openRaw(server.url);
    connection.write(`${headOf('/mcp', ['Transfer-Encoding: chunked']).join('\r\n')}\r\n\r\n`);
    const sending = setInterval(() => connection.write(`4000\r\n${' '.repeat(0x4000)}\r\n`), 20);

    const received = await connection.closed(3_000);
    clearInterval(sending);

    expect(received).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('a body', () => {
  test.each([
    { what: 'without a token', line: 'Authorization: Bearer tok_nobody', status: 401 },
    { what: 'of another media type', line: 'Content-Type: text/plain', status: 415 },
  ])(
    '$what that arrives slowly gets its whole refusal when the client reads late',
    async ({ line, status }) => {
      const connection = await openRaw(server.url);
      const seen = nextResponse();
      connection.socket.pause();
      const lines = [line, `Content-Length: ${LIMIT}`, 'Connection: close'];
      connection.write(`${headOf('/mcp', lines).join('\r\n')}\r\n\r\n `);
      const response = await seen;
      await eventually(() => response.headersSent);
      // More of it, to a server that has answered: a reset would discard the answer that the client has not read yet.
      for (let sent = 1; sent < LIMIT; sent += 0x1000)
        connection.write(' '.repeat(Math.min(0x1000, LIMIT - sent)));
      await eventually(() => connection.socket.writableLength === 0 || connection.socket.destroyed);
      connection.socket.resume();

      const answer = parseAnswer(await connection.closed());

      expect(answer.status).toBe(status);
      expect(answer.headers.get('connection')).toBe('close');
    },
  );
});
