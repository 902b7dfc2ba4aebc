/** A client that disconnects, or a session that ends, during a call: the tool is aborted, and nothing is kept. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import type { RequestContext } from '../../../src/http/context.ts';
import { readJsonBody } from '../../../src/http/transports/json-body.ts';
import { LARGE_BODY_BYTES, UploadBudget } from '../../../src/http/transports/upload-budget.ts';
import { createHeldTool, type HeldTool } from '../../support/held-tool.ts';
import {
  callTool,
  eventually,
  openMcpSession,
  openRaw,
  type RawSession,
  requestInit,
  type RequestOptions,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer, type TestServerOptions } from '../../support/start-server.ts';

let server: TestServer;
let held: HeldTool;
/** Closes the server; resolves to whether it could finish in time. */
let stop: () => Promise<boolean>;
afterEach(async () => {
  held.release();
  await stop();
});

/** Starts a server whose only tool waits. */
async function start(options: TestServerOptions = {}): Promise<void> {
  held = createHeldTool();
  server = await startTestServer({ tools: [held.tool], ...options });
  let stopped: Promise<boolean> | undefined;
  stop = () => (stopped ??= server.close());
}

/** Sends a message in a session on a connection that can be cut. */
async function postRaw({ headers }: RawSession, message: object) {
  const body = JSON.stringify(message);
  const connection = await openRaw(server.url);
  const head = {
    ...headers,
    Host: 'localhost',
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  connection.write(
    `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\nAccept: application/json, text/event-stream\r\n\r\n${body}`,
  );
  return connection;
}

/** A call that reports so many steps before it waits. */
const hold = (id: number, steps = 0): object =>
  rpc(id, 'tools/call', { name: 'hold', arguments: { steps }, _meta: { progressToken: 'p' } });

test.each([
  { what: 'the fast lane', features: [] },
  { what: 'the SDK', features: [{ name: 'nothing' }] },
])(
  'a client that disconnects before its call is a stream aborts the call, answered by $what, and the session is idle again',
  async ({ features }) => {
    await start({ features });
    const session = await openMcpSession(server.url, ADA, '2025-06-18');
    const connection = await postRaw(session, hold(1));
    await held.untilWaiting(1);

    connection.socket.destroy();
    await eventually(() => held.aborted === 1, { what: 'the tool to be told' });

    // A shutdown waits for sessions with calls in flight.
    expect(await stop()).toBe(true);
  },
);

test('a session that ends during a streamed call ends the stream with the error of the JSON form', async () => {
  await start();
  const session = await openMcpSession(server.url, ADA);
  const stream = await openStream(`${server.url}/mcp`, { headers: session.headers, body: hold(1, 1) });
  const plain = session.post(callTool(2, 'hold'));
  await held.untilWaiting(2);

  await send(`${server.url}/mcp`, { method: 'DELETE', headers: session.headers });
  const streamed = (await stream.answerTo(1)) as { error: unknown };
  const answered = await plain;

  const error = { code: -32_001, data: { error: 'session_ended' } };
  expect(answered).toMatchObject({ status: 404, body: { id: 2, error } });
  expect(streamed).toEqual({ ...(answered.body as object), id: 1 });
  expect(await stream.over()).toBe('ended');
  expect(held.aborted).toBe(2);
});

/** Spaces that make a body large enough to wait for its turn. */
const PADDING = ' '.repeat(LARGE_BODY_BYTES);

/** Keeps other large bodies waiting for their turn until something has happened, so that a new one has to wait behind them. */
async function keepBusy(until: () => boolean): Promise<void> {
  const limits = { maxBytes: 2 * LARGE_BODY_BYTES, uploads: new UploadBudget(100 * LARGE_BODY_BYTES) };
  const readOne = async (): Promise<void> => {
    const req = Object.assign(Readable.from([Buffer.from(`0${PADDING}`)]), {
      headers: { 'content-type': 'application/json' },
    });
    await readJsonBody({ req, state: { grant: { user: ANONYMOUS } } } as unknown as RequestContext, limits);
  };
  const read = async (): Promise<void> => {
    while (!until()) await readOne();
  };
  await Promise.all(Array.from({ length: 10 }, read));
}

/** Posts a large body whose client disconnects while the body waits for its turn. */
async function postAndGo(options: RequestOptions): Promise<void> {
  let isGone = false;
  const watch = (event: unknown): void => {
    const { request } = event as { request: IncomingMessage };
    request.once('end', () => request.socket.destroy());
    request.socket.once('close', () => (isGone = true));
  };
  subscribe('http.server.request.start', watch);
  const busy = keepBusy(() => isGone);
  const body = JSON.stringify(options.body) + PADDING;
  await fetch(`${server.url}/mcp`, requestInit({ ...options, body })).catch(() => undefined);
  unsubscribe('http.server.request.start', watch);
  await busy;
}

describe('a client that disconnects while its large body waits', () => {
  test('opens no subscription', async () => {
    await start({ env: { MAX_SESSIONS_PER_USER: '1' } });
    const listen = { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } };
    const options = stateless(listen, { token: ADA });
    await postAndGo(options);

    const next = await fetch(`${server.url}/mcp`, requestInit(options));
    await next.body?.cancel();

    expect(next.status).toBe(200);
  });

  test.each([{ on: 'a session' }, { on: 'no session' }])('begins no call in $on', async ({ on }) => {
    await start();
    const { headers } = await openMcpSession(server.url, ADA);
    const body = callTool(1, 'hold');
    await postAndGo(on === 'a session' ? { headers, body } : { token: ADA, body });

    expect(held.waiting).toBe(0);
    expect(await stop()).toBe(true);
  });

  test('begins no stateless call', async () => {
    await start();
    const call = { method: 'tools/call', params: { name: 'hold', arguments: {} } };
    await postAndGo(stateless(call, { token: ADA }));

    expect(held.waiting).toBe(0);
    expect(await stop()).toBe(true);
  });
});
