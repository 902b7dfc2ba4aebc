/** What one user may have the server keep: bodies that come slowly, and answers and streams that are not read. Others notice nothing. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import {
  callTool,
  eventually,
  openMcpSession,
  openRaw,
  type RawConnection,
  rpc,
  send,
  stateless,
} from '../support/raw-http.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts'; // prettier-ignore

const MIB = 1024 * 1024;

/** The largest body, and so an eighth of what may wait or come in of one user. */
const MAX_BODY_BYTES = MIB;

/** Returns a text of any size, of ASCII or of characters of three bytes, which no system takes whole for a client that does not read. */
const recite = defineTool({
  name: 'recite',
  title: 'Recite',
  description: 'Returns so many characters.',
  input: z.object({ characters: z.number(), of: z.string().default('x') }),
  run: ({ characters, of }) => of.repeat(characters),
});

let server: TestServer;
let clients: RawConnection[];
/** The server's side of the requests so far. */
let responses: ServerResponse[];
const note = (message: unknown): void =>
  void responses.push((message as { response: ServerResponse }).response);

beforeEach(async () => {
  clients = [];
  responses = [];
  subscribe('http.server.request.start', note);
  server = await startTestServer({
    env: { MAX_BODY_BYTES: String(MAX_BODY_BYTES) },
    tools: [...fixtureTools, recite],
  });
});
afterEach(async () => {
  unsubscribe('http.server.request.start', note);
  for (const { socket } of clients) socket.destroy();
  await server.close();
});

/** Opens a connection that is closed after the test. */
async function open(): Promise<RawConnection> {
  const client = await openRaw(server.url);
  clients.push(client);
  return client;
}

/** The head of a POST to `/mcp`. */
function headOf(token: string, length: number, more: readonly string[] = []): string {
  return [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Content-Length: ${length}`,
    ...more,
    '\r\n',
  ].join('\r\n');
}

/** How much waits in the server, of everything. */
function waitingBytes(): number {
  return responses.reduce((sum, { writableLength }) => sum + writableLength, 0);
}

/** Begins a body as large as it may be, and leaves it unfinished. */
async function beginBody(token: string): Promise<RawConnection> {
  const client = await open();
  client.write(headOf(token, MAX_BODY_BYTES));
  client.write(' '.repeat(MAX_BODY_BYTES - 1));
  const isThis = ({ req }: ServerResponse): boolean => req.socket.remotePort === client.socket.localPort;
  const isRead = (): boolean => (responses.find(isThis)?.req.socket.bytesRead ?? 0) >= MAX_BODY_BYTES;
  await eventually(() => isRead() || client.received() !== '');
  return client;
}

/** The status that a large body without sense gets. */
async function beginAndEnd(): Promise<number> {
  const { status } = await send(`${server.url}/mcp`, { token: ADA, body: ' '.repeat(MAX_BODY_BYTES) });
  return status;
}

/** Asks for a long answer and reads nothing of it. */
async function askAndIgnore(token: string, characters: number): Promise<void> {
  const before = responses.length;
  const client = await open();
  client.socket.pause();
  const { body, headers } = stateless({
    method: 'tools/call',
    params: { name: 'recite', arguments: { characters } },
  });
  const text = JSON.stringify(body);
  const more = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  client.write(headOf(token, text.length, more) + text);
  await eventually(() => responses.length > before && responses.at(-1)?.writableEnded === true);
}

describe('bodies that are being sent', () => {
  test('of one user are eight of the largest at a time; one more is told to wait, in words', async () => {
    for (let count = 0; count < 8; count += 1) await beginBody(ADA);
    const over = await beginBody(ADA);

    const refusal = await over.waitFor(/^HTTP\/1\.1 \d+[^]*\}$/);
    expect(refusal).toMatch(/^HTTP\/1\.1 429 /);
    expect(refusal).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(refusal).toContain('too_much_at_once');
    await eventually(() =>
      server.lines.some(({ error, limit }) => error === 'too_much_at_once' && limit === 'MAX_BODY_BYTES'),
    );
    expect(clients.filter((client) => client !== over && client.received() !== '')).toEqual([]);
  });

  test('shut out neither small bodies of the same user nor large ones of another', async () => {
    for (let count = 0; count < 9; count += 1) await beginBody(ADA);
    await eventually(() => clients.some((client) => client.received() !== ''));

    const small = await send(`${server.url}/mcp`, { token: ADA, ...stateless({ method: 'tools/list' }) });
    const other = await send(`${server.url}/mcp`, { token: BOB, body: ' '.repeat(MAX_BODY_BYTES) });
    // From 64 KiB on a body is a large one.
    const below = await send(`${server.url}/mcp`, { token: ADA, body: ' '.repeat(64 * 1024 - 1) });
    const large = await send(`${server.url}/mcp`, { token: ADA, body: ' '.repeat(64 * 1024) });

    expect([small.status, other.status]).toEqual([200, 400]);
    expect([below.status, large.status]).toEqual([400, 429]);
  });

  test('leave room again when they are complete, and when their clients go away', async () => {
    for (let round = 0; round < 2; round += 1) {
      const sent = await Promise.all(Array.from({ length: 4 }, async () => beginBody(ADA)));
      const gone = await Promise.all(Array.from({ length: 4 }, async () => beginBody(ADA)));
      // What an earlier round has not given back would turn some of these away.
      const turnedAway = [...sent, ...gone].filter((client) => client.received() !== '');
      const whileFull = await beginAndEnd();
      for (const client of sent) client.write(' ');
      for (const client of gone) client.socket.destroy();
      for (const client of sent) await client.waitFor(/^HTTP\/1\.1 400 /);
      await eventually(async () => (await beginAndEnd()) === 400);
      expect(turnedAway).toEqual([]);
      expect(whileFull).toBe(429);
    }
  }, 60_000);
});

describe('plain answers that are not read', () => {
  test('of one user are bounded: a further answer says that they wait, and another user gets his', async () => {
    for (let count = 0; count < 8; count += 1) await askAndIgnore(ADA, 7 * MIB);
    const call = stateless({ method: 'tools/call', params: { name: 'recite', arguments: { characters: 7 * MIB } } });

    const own = await send(`${server.url}/mcp`, { token: ADA, ...call });
    const small = await send(`${server.url}/mcp`, { token: ADA, ...stateless({ method: 'tools/call', params: { name: 'get_greeting', arguments: {} } }) });
    const waiting = waitingBytes();
    const other = await send(`${server.url}/mcp`, { token: BOB, ...call });

    expect(waiting).toBeLessThan(8 * MAX_BODY_BYTES);
    expect(own.status).toBe(200);
    expect(own.body).toMatchObject({ id: 1, error: { message: expect.stringMatching(/wait for you to read/), data: { error: 'answers_unread' } } });
    expect(small.body).toMatchObject({ result: { content: [{ text: 'Hello, Ada Lovelace!' }] } });
    expect(other.text.length).toBeGreaterThan(7 * MIB);
  }, 30_000); // prettier-ignore

  test('count by their bytes, however few characters those are', async () => {
    await askAndIgnore(ADA, 6 * MIB);
    const [half, whole] = [MIB / 2, MIB].map((characters) =>
      stateless({ method: 'tools/call', params: { name: 'recite', arguments: { characters, of: '€' } } }),
    );

    const fits = await send(`${server.url}/mcp`, { token: ADA, ...half });
    const isTooMuch = await send(`${server.url}/mcp`, { token: ADA, ...whole });

    expect(fits.text.length).toBeGreaterThan(MIB / 2);
    expect(isTooMuch.body).toMatchObject({ error: { data: { error: 'answers_unread' } } });
  }, 30_000);

  test('leave room again when they are read, or their clients go', async () => {
    for (let count = 0; count < 3; count += 1) await askAndIgnore(ADA, 7 * MIB);
    const call = stateless({
      method: 'tools/call',
      params: { name: 'recite', arguments: { characters: 7 * MIB } },
    });
    const refused = await send(`${server.url}/mcp`, { token: ADA, ...call });

    clients[0]?.socket.resume();
    for (const { socket } of clients.slice(1)) socket.destroy();
    await eventually(() => waitingBytes() === 0);
    const served = await send(`${server.url}/mcp`, { token: ADA, ...call });

    expect(refused.text).toContain('answers_unread');
    expect(served.text.length).toBeGreaterThan(7 * MIB);
  }, 30_000);
});

describe('streams that are not read', () => {
  test('of one user are bounded together: the fullest is cut, and who reads goes on', async () => {
    const session = await openMcpSession(server.url, BOB);
    const sessions = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await open();
        client.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
        const [path = ''] = /\/messages\?\S+/.exec(await client.waitFor(/\/messages\?\S+\s/)) ?? [];
        client.socket.pause();
        return `${server.url}${path}`;
      }),
    );
    const streams = responses.filter(({ req }) => req.url === '/sse');
    let highest = 0;

    // Each for itself stays within what one stream may have waiting.
    for (let round = 0; round < 6; round += 1) {
      for (const [id, messages] of sessions.entries()) {
        const body = callTool(`${round}-${id}`, 'recite', { characters: MIB });
        await send(messages, { token: ADA, body });
        highest = Math.max(highest, waitingBytes());
      }
    }

    expect(highest).toBeGreaterThan(4 * MIB);
    expect(highest).toBeLessThan(8 * MAX_BODY_BYTES + 2 * MIB);
    expect(streams.some(({ destroyed }) => destroyed)).toBe(true);
    expect((await session.post(rpc(1, 'ping'))).status).toBe(200);
  }, 60_000);
});
