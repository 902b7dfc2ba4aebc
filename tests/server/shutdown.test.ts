/** close(): calls in flight finish and are answered, streams end with a retry, and nothing delays it further. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { createHeldTool, type HeldTool } from '../support/held-tool.ts';
import {
  callTool,
  eventually,
  initialize,
  openMcpSession,
  openRaw,
  rpc,
  send,
  stateless,
} from '../support/raw-http.ts';
import { openSse, openStream } from '../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let held: HeldTool;
/** Whatever a test leaves open. */
afterEach(() => held.release());

/** Starts a server with a tool that can be held. */
async function start(env: Record<string, string> = {}): Promise<void> {
  held = createHeldTool();
  server = await startTestServer({
    env: { SHUTDOWN_GRACE_SECONDS: '5', ...env },
    tools: [...fixtureTools, held.tool],
  });
}

/** Whether the server accepts new connections. */
async function takesConnections(): Promise<boolean> {
  try {
    const connection = await openRaw(server.url);
    connection.socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/** A call of the held tool with a progress token. */
const holdWithProgress = (id: string): object =>
  rpc(id, 'tools/call', { name: 'hold', arguments: { steps: 1 }, _meta: { progressToken: id } });

/** The text of a GET request. */
function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`;
}

/** The text of a POST to /mcp. */
function post(message: unknown, lines: readonly string[] = []): string {
  const body = JSON.stringify(message);
  const head = [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${ADA}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...lines,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** The text of a POST in the stateless revision. */
function postStateless(method: string): string {
  const { headers = {}, body } = stateless({ method, params: { notifications: { toolsListChanged: true } } });
  return post(
    body,
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  );
}

/** The statuses of the answers on a connection. */
function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));
}

describe('close()', () => {
  test('lets the calls on every transport finish, delivers their answers, and then resolves within the grace period', async () => {
    await start();
    const sse = await openSse(server.url, ADA);
    const [plain, streaming] = [await openMcpSession(server.url, ADA), await openMcpSession(server.url, ADA)];
    const batching = await openMcpSession(server.url, ADA, '2025-03-26');
    await sse.post(callTool('sse', 'hold'));
    const plainAnswer = plain.post(callTool('plain', 'hold'));
    const batchAnswer = batching.post([callTool('b1', 'hold'), callTool('b2', 'hold')]);
    const stream = await openStream(`${server.url}/mcp`, {
      headers: streaming.headers,
      body: holdWithProgress('stream'),
    });
    const { headers, body } = stateless({ method: 'tools/call', params: { name: 'hold', arguments: {} } });
    const statelessAnswer = send(`${server.url}/mcp`, { token: ADA, ...(headers && { headers }), body });
    await held.untilWaiting(6);

    const closing = server.close();
    await eventually(async () => !(await takesConnections()), { what: 'the end of new connections' });
    const releasedAtMs = Date.now();
    held.release();
    const [finished, ...answers] = await Promise.all([
      closing,
      sse.answerTo('sse'),
      stream.answerTo('stream'),
      plainAnswer,
      statelessAnswer,
      batchAnswer,
    ]);

    const result = expect.objectContaining({ content: [{ type: 'text', text: 'held' }] });
    expect(finished).toBe(true);
    expect(Date.now() - releasedAtMs).toBeLessThan(2_000);
    expect(answers).toEqual([
      expect.objectContaining({ id: 'sse', result }),
      expect.objectContaining({ id: 'stream', result }),
      expect.objectContaining({ status: 200, body: expect.objectContaining({ id: 'plain', result }) }),
      expect.objectContaining({ status: 200, body: expect.objectContaining({ id: 1, result }) }),
      expect.objectContaining({
        status: 200,
        body: [expect.objectContaining({ result }), expect.objectContaining({ result })],
      }),
    ]);
    expect(await sse.over()).toBe('ended');
    expect(sse.frames.at(-1)).toEqual({ retry: '8000' });
  });

  test('ends the open streams of every transport with a retry', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const sse = await openSse(server.url, ADA);
    const standalone = await openStream(`${server.url}/mcp`, { headers: session.headers });
    const listening = await openStream(
      `${server.url}/mcp`,
      stateless(
        { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } },
        { id: 'sub', token: ADA },
      ),
    );
    await listening.waitFor(({ data }) => data !== undefined);
    const startedMs = Date.now();

    const finished = await server.close();
    const ends = await Promise.all([sse.over(), standalone.over(), listening.over()]);

    expect(finished).toBe(true);
    expect(Date.now() - startedMs).toBeLessThan(1_500);
    expect(ends).toEqual(['ended', 'ended', 'ended']);
    expect(sse.frames.at(-1)).toEqual({ retry: '8000' });
    expect(standalone.frames.at(-1)).toEqual({ retry: '8000' });
    // In this revision, a subscription ends with its answer.
    expect(listening.messages().at(-1)).toMatchObject({ id: 'sub', result: {} });
  });

  test.each([
    ['GET /ready is 503', get('/ready'), 503, '{"status":"draining"}'],
    ['GET /health is 200', get('/health'), 200, '"status":"ok"'],
    ['a new session is opened', post(initialize()), 200, '"serverInfo"'],
    ['a new SSE stream is refused 503', get('/sse'), 503, '"shutting_down"'],
    ['a new subscription is refused 503', postStateless('subscriptions/listen'), 503, '"shutting_down"'],
    ['a stateless request is served', postStateless('tools/list'), 200, '"tools"'],
    ['one that needs the SDK is, too', postStateless('server/discover'), 200, '"supportedVersions"'],
  ])('meanwhile, on a connection that a call keeps open, %s', async (_what, request, status, words) => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const connection = await openRaw(server.url);
    connection.write(post(callTool(1, 'hold'), [`Mcp-Session-Id: ${session.id}`]));
    await held.untilWaiting(1);
    const arrived: unknown[] = [];
    const note = (message: unknown): void => void arrived.push(message);
    subscribe('http.server.request.start', note);

    const closing = server.close();
    // Requests that need not wait are finished when this one arrives.
    await eventually(async () => !(await takesConnections()));
    connection.write(request);
    await eventually(() => arrived.length === 1, { what: 'the request' });
    held.release();
    const received = await connection.closed();
    const finished = await closing;
    unsubscribe('http.server.request.start', note);

    expect(finished).toBe(true);
    expect(received).toContain('"held"');
    expect(statusesIn(received)).toEqual([200, status]);
    expect(received).toContain(words);
  });

  test('serves a session without a stream on an open connection', async () => {
    await start();
    const [busy, quiet] = [await openMcpSession(server.url, ADA), await openMcpSession(server.url, ADA)];
    const connection = await openRaw(server.url);
    connection.write(post(callTool(1, 'hold'), [`Mcp-Session-Id: ${busy.id}`]));
    await held.untilWaiting(1);

    const closing = server.close();
    await eventually(async () => !(await takesConnections()));
    connection.write(post(callTool(2, 'whoami'), [`Mcp-Session-Id: ${quiet.id}`]));
    held.release();
    const received = await connection.closed();

    expect(await closing).toBe(true);
    expect(statusesIn(received)).toEqual([200, 200]);
    expect(received).toContain('Ada Lovelace');
  });

  test('finishes a request whose body was half sent', async () => {
    await start();
    const session = await openMcpSession(server.url, ADA);
    const request = post(callTool(1, 'whoami'), [`Mcp-Session-Id: ${session.id}`]);
    const connection = await openRaw(server.url);
    connection.write(request.slice(0, -10));
    await eventually(async () => (await send(`${server.url}/health`)).status === 200);

    const closing = server.close();
    await eventually(async () => !(await takesConnections()));
    connection.write(request.slice(-10));
    const received = await connection.closed();

    expect(await closing).toBe(true);
    expect(statusesIn(received)).toEqual([200]);
  });

  test('does not wait the grace period for requests whose headers or bodies never end', async () => {
    await start({ SHUTDOWN_GRACE_SECONDS: '2' });
    const body = post(initialize()).slice(0, -10);
    const first = await openRaw(server.url);
    first.write(body);
    const later = await Promise.all(
      [body, get('/health').slice(0, -10), 'G'].map(async (part) => {
        const connection = await openRaw(server.url);
        connection.write(get('/health'));
        await connection.waitFor(/"ok"/);
        connection.write(part);
        return connection;
      }),
    );
    await eventually(async () => (await send(`${server.url}/health`)).status === 200);

    const finished = await server.close();

    expect(finished).toBe(true);
    for (const connection of [first, ...later]) await connection.closed();
  });

  test('finishes a request whose headers were half sent', async () => {
    await start();
    const connection = await openRaw(server.url);
    connection.write(get('/health'));
    await connection.waitFor(/"ok"/);
    connection.write(get('/tools').slice(0, -10));
    await eventually(async () => (await send(`${server.url}/health`)).status === 200);

    const closing = server.close();
    await eventually(async () => !(await takesConnections()));
    connection.write(get('/tools').slice(-10));
    const received = await connection.closed();

    expect(await closing).toBe(true);
    expect(statusesIn(received)).toEqual([200, 200]);
  });

  test('makes /ready 503 first and serves everything for the delay, each connection for the last time', async () => {
    await start({ SHUTDOWN_DELAY_SECONDS: '1' });
    const session = await openMcpSession(server.url, ADA);

    const closing = server.close();
    const ready = await send(`${server.url}/ready`);
    const call = await session.post(callTool(1, 'whoami'));
    const opened = await send(`${server.url}/mcp`, { token: ADA, body: initialize() });
    const sse = await openSse(server.url, ADA);
    await sse.post(callTool('sse', 'whoami'));
    const answer = await sse.answerTo('sse');
    const finished = await closing;

    expect([ready, call, opened].map(({ status }) => status)).toEqual([503, 200, 200]);
    expect(ready.headers.get('connection')).toBe('close');
    expect(answer).toMatchObject({ result: expect.anything() });
    expect(await sse.over()).toBe('ended');
    expect(finished).toBe(true);
    expect(await takesConnections()).toBe(false);
  });

  test('loses no request of clients that send until the last moment and obey Connection: close', async () => {
    await start({ SHUTDOWN_DELAY_SECONDS: '1' });
    const fates: string[] = [];
    let kept = await openRaw(server.url);

    const closing = server.close();
    for (let last = ''; last !== 'keep-alive'; fates.push(last)) {
      kept.socket.destroy();
      kept = await openRaw(server.url);
      kept.write(get('/health'));
      last = /^connection: (.*)$/im.exec(await kept.waitFor(/"ok"/))?.[1]?.trim() ?? '';
    }
    await eventually(async () => !(await takesConnections()), { what: 'the end of new connections' });
    kept.write(get('/tools'));
    const received = await kept.closed();

    expect(fates.slice(0, -1).length).toBeGreaterThan(0);
    expect(new Set(fates.slice(0, -1))).toEqual(new Set(['close']));
    expect(statusesIn(received)).toEqual([200, 200]);
    expect(received.slice(received.lastIndexOf('HTTP/1.1'))).toMatch(/^connection: close\r$/im);
    expect(await closing).toBe(true);
  });

  test('resolves at once when only idle connections are open: kept-alive ones and ones without a request', async () => {
    await start();
    const silent = await openRaw(server.url);
    const idle = await openRaw(server.url);
    idle.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await idle.waitFor(/"ok"/);
    await openMcpSession(server.url, ADA);
    const startedMs = Date.now();

    const finished = await server.close();
    await Promise.all([silent.closed(), idle.closed()]);

    expect(finished).toBe(true);
    expect(Date.now() - startedMs).toBeLessThan(1_500);
  });

  test('the server keeps idle connections longer than any proxy in front of it', async () => {
    await start();
    const sockets: Socket[] = [];
    const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    subscribe('http.server.response.finish', note);

    const answer = await send(`${server.url}/health`);
    await eventually(() => sockets.some(({ timeout = 0 }) => timeout > 0));
    unsubscribe('http.server.response.finish', note);
    const keptMs = Math.min(...sockets.map(({ timeout = 0 }) => timeout));
    await server.close();

    // The header, and the timeout in fact: the pool of Caddy keeps connections for 120 s, the load balancer of Google for 600 s.
    expect(answer.headers.get('keep-alive')).toBe('timeout=620');
    expect(keptMs).toBeGreaterThanOrEqual(620_000);
  });

  test('resolves to false when a call outlasts the grace period, and cuts it', async () => {
    await start({ SHUTDOWN_GRACE_SECONDS: '1' });
    const session = await openMcpSession(server.url, ADA);
    const sse = await openSse(server.url, ADA);
    await sse.post(callTool(1, 'hold'));
    const pending = session.post(callTool(1, 'hold')).then(
      () => 'answered',
      () => 'cut',
    );
    await held.untilWaiting(2);
    const startedMs = Date.now();

    const finished = await server.close();

    expect(finished).toBe(false);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(990);
    expect(Date.now() - startedMs).toBeLessThan(2_000);
    expect(await pending).toBe('cut');
    expect(await sse.over()).toBe('cut');
  });

  test('does not wait for a client that does not read its stream', async () => {
    await start({ SHUTDOWN_GRACE_SECONDS: '1' });
    const connection = await openRaw(server.url);
    connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
    const id = /sessionId=([0-9a-f-]{36})/.exec(await connection.waitFor(/sessionId=[0-9a-f-]{36}/))?.[1];
    connection.socket.pause();
    const message = 'x'.repeat(3_000_000);
    await Promise.all(
      [1, 2, 3].map(async (call) =>
        send(`${server.url}/messages?sessionId=${id}`, {
          token: ADA,
          body: callTool(call, 'echo_message', { message }),
        }),
      ),
    );
    const startedMs = Date.now();

    await server.close();

    expect(Date.now() - startedMs).toBeLessThan(2_000);
    connection.socket.destroy();
  });
});
