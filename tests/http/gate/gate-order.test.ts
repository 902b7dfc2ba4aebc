/** The gate checks in a fixed order: a request with several faults is refused for the first of them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  eventually,
  initialize,
  openMcpSession,
  openRaw,
  rpc,
  send,
  sendRaw,
} from '../../support/raw-http.ts';
import { openSse } from '../../support/sse-reader.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../../support/start-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { MAX_BODY_BYTES: '1024' } });
});
afterAll(async () => {
  await server.close();
});

/** The faults that a request can have, in the order in which the gate checks them, each with its answer. */
const FAULTS = [
  { fault: 'target', status: 400, code: 'invalid_target' },
  { fault: 'doubled header', status: 400, code: 'doubled_header' },
  { fault: 'host', status: 403, code: 'forbidden_host' },
  { fault: 'origin', status: 403, code: 'forbidden_origin' },
  { fault: 'path', status: 404, code: 'not_found' },
  { fault: 'credential', status: 401, code: 'unauthorized' },
  { fault: 'method', status: 405, code: 'method_not_allowed' },
  { fault: 'media type', status: 415, code: 'unsupported_media_type' },
  { fault: 'coding', status: 415, code: 'unsupported_encoding' },
  { fault: 'size', status: 413, code: 'body_too_large' },
  { fault: 'syntax', status: 400, code: 'parse_error' },
  { fault: 'session', status: 404, code: 'session_not_found' },
  { fault: 'protocol', status: 400, code: 'invalid_request' },
] as const;
type Fault = (typeof FAULTS)[number]['fault'];

/** Sends a request with exactly these faults to an MCP route. */
async function sendFaulty(route: '/mcp' | '/messages', faults: ReadonlySet<Fault>): Promise<Answer> {
  const { host } = new URL(server.url);
  const mine =
    route === '/mcp' ? (await openMcpSession(server.url, ADA)).id : (await openSse(server.url, ADA)).id;
  const session = faults.has('session') ? 'no-such-session' : mine;
  const path = faults.has('path') ? '/nowhere' : route;
  const query = route === '/messages' ? `?sessionId=${session}` : '';
  const text = faults.has('syntax') ? '{' : JSON.stringify(faults.has('protocol') ? {} : rpc(1, 'ping'));
  const body = faults.has('size') ? text.padEnd(1025) : text;
  const head = [
    `${faults.has('method') ? 'PUT' : 'POST'} ${faults.has('target') ? 'ftp://localhost' : ''}${path}${query} HTTP/1.1`,
    `Host: ${faults.has('host') ? 'evil.example' : host}`,
    ...(faults.has('origin') ? ['Origin: https://evil.example'] : []),
    ...(faults.has('credential') ? [] : [`Authorization: Bearer ${ADA}`]),
    `Content-Type: ${faults.has('media type') ? 'text/plain' : 'application/json'}`,
    ...(faults.has('doubled header') ? ['Content-Type: application/json'] : []),
    ...(faults.has('coding') ? ['Content-Encoding: gzip'] : []),
    ...(route === '/mcp' ? [`Mcp-Session-Id: ${session}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return sendRaw(server.url, head, body);
}

/** The code of a refusal, in the form of RFC 6750 or of JSON-RPC. */
function codeOf({ body }: Answer): unknown {
  const { error } = body as { error?: string | { data?: { error?: string } } };
  return typeof error === 'object' ? error.data?.error : error;
}

describe.each(['/mcp', '/messages'] as const)('a request to %s', (route) => {
  test.each(FAULTS.map((entry, index) => ({ ...entry, index })))(
    'whose first fault is its $fault is answered $status $code, whatever else is wrong',
    async ({ index, status, code }) => {
      const faults = new Set(FAULTS.slice(index).map(({ fault }) => fault));
      // The content coding is checked in the same step as the media type and after it, so this request cannot have both faults.
      if (code === 'unsupported_media_type') faults.delete('coding');

      const answer = await sendFaulty(route, faults);

      expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    },
  );

  test('without a fault is let in', async () => {
    const answer = await sendFaulty(route, new Set());

    expect(answer.status).toBe(route === '/mcp' ? 200 : 202);
  });

  test('is refused 401 before its body has been sent', async () => {
    const connection = await openRaw(server.url);

    connection.write(`POST ${route} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n`);
    const received = await connection.waitFor(/\r\n\r\n/);
    connection.socket.destroy();

    expect(received).toMatch(/^HTTP\/1\.1 401 /);
  });
});

test.each([
  ['GET', 'http://evil.example/mcp'],
  ['GET', 'https://127.0.0.1/tools'],
  ['GET', 'http://localhost@evil.example/tools'],
  ['GET', 'http://localhost\\/tools'],
  ['GET', 'ftp://localhost/tools'],
  ['GET', 'http:///tools'],
  ['GET', '*'],
  ['OPTIONS', '*'],
  ['GET', 'mcp'],
  ['GET', 'http://'],
  ['GET', 'http://[::1/tools?token=secret-in-a-query'],
  ['GET', 'https://xn--a/?token=secret-in-a-query'],
])('answers 400 to the target %s %s, and logs the path as *', async (method, target) => {
  const answer = await sendRaw(server.url, [`${method} ${target} HTTP/1.1`, 'Host: localhost']);

  expect(answer).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/^(invalid_target|bad_request)$/) },
  });
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  const requestId = answer.headers.get('x-request-id');
  if (requestId !== null)
    await eventually(() =>
      server.lines.some((line) => line['requestId'] === requestId && line['path'] === '*'),
    );
  expect(JSON.stringify(server.lines)).not.toContain('secret-in-a-query');
});

test('sees all headers: 2,500 headers in front neither hide a credential nor the second of two', async () => {
  const begin = ['GET /tools HTTP/1.1', 'Host: localhost'];
  const many = Array<string>(2_500).fill('a:');
  const mine = `Authorization: Bearer ${ADA}`;

  const behind = await sendRaw(server.url, [...begin, ...many, mine]);
  const doubled = await sendRaw(server.url, [...begin, mine, ...many, `Authorization: Bearer ${BOB}`]);

  expect(behind.status).toBe(200);
  expect([doubled.status, codeOf(doubled)]).toEqual([400, 'doubled_header']);
});

/** Sends the headers, then the body of a ping once the server says 100 (or at once if it waits for no 100); returns all that is received. */
async function expectBefore(expectation: string, { token = ADA, length = 0 } = {}): Promise<string> {
  const { id } = await openMcpSession(server.url, ADA);
  const body = JSON.stringify(rpc(1, 'ping'));
  const connection = await openRaw(server.url);
  const head = [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    `Mcp-Session-Id: ${id}`,
  ];
  const more = [
    'Content-Type: application/json',
    `Content-Length: ${length || body.length}`,
    `Expect: ${expectation}`,
  ];
  connection.write([...head, ...more, '\r\n'].join('\r\n'));
  if (expectation !== '100-continue' || (await connection.waitFor(/\r\n\r\n/)).startsWith('HTTP/1.1 100 '))
    connection.write(body);
  const received = await connection.waitFor(/HTTP\/1\.1 [2-5][^]*\}/);
  connection.socket.destroy();
  return received;
}

describe('a client that sends Expect', () => {
  test('is told 100 Continue before its body is read', async () => {
    expect((await expectBefore('100-continue')).match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 100',
      'HTTP/1.1 200',
    ]);
  });

  test.each([
    ['a wrong token', { token: 'tok_wrong' }, 401],
    ['a body that is too large', { length: 5_000_000 }, 413],
  ])('is refused for %s without 100 Continue, and the connection closes', async (_what, options, status) => {
    const received = await expectBefore('100-continue', options);

    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
    expect(received).toMatch(/\r\nconnection: close\r\n/i);
  });

  test('is served all the same when its expectation is unknown', async () => {
    expect(await expectBefore('wonders')).toMatch(
      /^HTTP\/1\.1 200 [^]*\r\nX-Content-Type-Options: nosniff\r\n/,
    );
    expect(await expectBefore('wonders', { token: 'tok_wrong' })).toMatch(/^HTTP\/1\.1 401 /);
  });
});

test.each([
  ['http://localhost/tools', 200],
  ['HTTPS://LocalHost/tools?x=1', 200],
  ['http://localhost', 200],
  ['http://localhost?x', 200],
  ['http://localhost/mcp', 405],
  ['http://localhost//tools', 404],
])('answers the target %s with %i: its absolute form names this server', async (target, status) => {
  const answer = await sendRaw(server.url, [
    `GET ${target} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${ADA}`,
  ]);

  expect(answer.status).toBe(status);
});

test.each([
  ['Host: localhost'],
  ['Origin: http://localhost'],
  [`Authorization: Bearer ${ADA}`],
  [`authorization: Bearer ${BOB}`],
  [`X-Api-Key: ${ADA}`],
  [`X-Auth-Token: ${ADA}`],
  ['Content-Type: application/json'],
  ['Content-Encoding: identity'],
  ['Mcp-Session-Id: a'],
  ['MCP-Protocol-Version: 2025-11-25'],
])('answers 400 when the header "%s" is sent twice', async (line) => {
  const name = line.split(':')[0]?.toLowerCase() ?? '';
  const first: Record<string, string> = {
    host: 'Host: localhost',
    authorization: `Authorization: Bearer ${ADA}`,
  };
  const others = Object.entries(first).flatMap(([key, value]) => (key === name ? [] : [value]));

  const answer = await sendRaw(server.url, ['GET /tools HTTP/1.1', ...others, first[name] ?? line, line]);

  expect([answer.status, answer.body]).toEqual([
    400,
    { error: 'doubled_header', error_description: `Send the header ${name} once.` },
  ]);
});

test('answers 400 to HTTP/1.1 without Host, and 403 to HTTP/1.0 without Host', async () => {
  const answer = await sendRaw(server.url, ['GET /health HTTP/1.1']);
  const older = await sendRaw(server.url, ['GET /tools HTTP/1.0']);

  expect([answer.status, answer.body]).toEqual([
    400,
    { error: 'missing_host', error_description: 'Send the Host header.' },
  ]);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect([older.status, older.body]).toEqual([403, expect.objectContaining({ error: 'forbidden_host' })]);
});

test('answers 400, not 5xx, to requests that the HTTP parser of Node.js refuses', async () => {
  const requests = [
    ['GARBAGE'],
    ['GET /mcp HTTP/9.9', 'Host: localhost'],
    ['POST /mcp HTTP/1.1', 'Host: localhost', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['POST /mcp HTTP/1.1', 'Host: localhost', 'Content-Length: 1', 'Content-Length: 2'],
    ['POST /mcp HTTP/1.1', 'Host: localhost', 'Content-Length: -1'],
    ['GET /mcp HTTP/1.1', 'Host: localhost', 'X Y: z'],
    ['GET /mcp HTTP/1.1'],
  ];

  const answers = await Promise.all(requests.map(async (head) => sendRaw(server.url, head)));

  expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 400));
});

test.each(['gzip, chunked', 'identity, chunked', 'xchunked'])(
  'answers 400 to Transfer-Encoding: %s, which it cannot decode, and closes the connection',
  async (coding) => {
    const connection = await openRaw(server.url);

    connection.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\nContent-Type: application/json\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
    );
    const received = await connection.closed();

    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toMatch(/\r\nConnection: close\r\n/i);
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  },
);

// Node's own parser refuses these in the middle of a request that it has already handed over.
test('answers 400 to a chunked body over HTTP/1.0, with a token and without', async () => {
  for (const credential of [`Authorization: Bearer ${ADA}\r\n`, '']) {
    const connection = await openRaw(server.url);
    connection.write(
      `POST /mcp HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n${credential}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    const received = await connection.closed();

    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(received).toContain('unsupported_transfer_coding');
  }
});

test.each(['chunked, chunked', 'chunked, gzip', 'chunked\r\nTransfer-Encoding: chunked'])(
  'answers 400 with an explanation to Transfer-Encoding: %s, with a token and without, and closes the connection',
  async (coding) => {
    for (const credential of [`Authorization: Bearer ${ADA}\r\n`, '', 'Connection: close\r\n']) {
      const connection = await openRaw(server.url);

      connection.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${credential}Content-Type: application/json\r\nTransfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      );
      const received = await connection.closed();

      expect(received).toMatch(/^HTTP\/1\.1 400 /);
      expect(received).toContain('plainly chunked');
      expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    }
  },
);

test('answers 431 to headers that are too large', async () => {
  const answer = await sendRaw(server.url, [
    'GET /mcp HTTP/1.1',
    'Host: localhost',
    `X-Long: ${'x'.repeat(50_000)}`,
  ]);

  expect(answer.status).toBe(431);
});

describe.each([
  '//mcp',
  '/mcp/',
  '/MCP',
  '/Mcp',
  '/%6dcp',
  '/mc%70',
  '/./mcp',
  '/../mcp',
  '/x/../mcp',
  '/mcp;x',
  '/mcp%2f',
  '/mcp%00',
  '/mcp.',
  '/mcp%20',
  '\\mcp',
  '/\\mcp',
  '//sse',
  '/sse/',
  '/SSE',
  '/messages/',
  '/tools/',
  '/TOOLS',
  '/%74ools',
  '/tools%zz',
])('the path spelling %s', (path) => {
  test.each([
    ['without a token', undefined],
    ['with one', ADA],
  ])('opens no session %s', async (_case, token) => {
    const body = JSON.stringify(initialize());
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ];

    const answer = await sendRaw(server.url, head, body);

    expect([400, 404]).toContain(answer.status);
    expect(answer.headers.get('mcp-session-id')).toBeNull();
  });
});

test.each([
  ['X-Original-URL', '/mcp'],
  ['X-Rewrite-URL', '/mcp'],
  ['X-Forwarded-Path', '/mcp'],
])('a public path with %s stays that path', async (name, value) => {
  const answer = await send(`${server.url}/health`, { headers: { [name]: value } });

  expect(answer.body).toMatchObject({ status: 'ok' });
});

test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
  '%s does not change the method',
  async (name) => {
    const session = await openMcpSession(server.url, ADA);

    await session.post(rpc(0, 'ping'), { headers: { [name]: 'DELETE' } });
    const still = await session.post(rpc(1, 'ping'));

    expect(still.status).toBe(200);
  },
);

test('an unknown path answers JSON for every method', async () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];

  const answers = await Promise.all(
    methods.map(async (method) => sendRaw(server.url, [`${method} /nowhere HTTP/1.1`, 'Host: localhost'])),
  );

  const found = answers.map((answer) => [answer.status, codeOf(answer)]);
  expect(found).toEqual(methods.map(() => [404, 'not_found']));
});
