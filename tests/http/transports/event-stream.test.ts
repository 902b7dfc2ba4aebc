/** Streams to clients that do not read are limited and cut; clients that read receive everything, however large. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ANONYMOUS } from '../../../src/auth/user.ts';
import { EventStreams } from '../../../src/http/transports/event-streams.ts';
import { defineTool } from '../../../src/mcp/tool.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import {
  callTool,
  eventually,
  openMcpSession,
  openRaw,
  type RawConnection,
  rpc,
  send,
} from '../../support/raw-http.ts';
import { openSse, openStream } from '../../support/sse-reader.ts';
import { ADA, startTestServer, type TestServer } from '../../support/start-server.ts';

const MEBIBYTE = 1024 * 1024;

/** Sends so many progress messages of a mebibyte each, regardless of whether the client reads. */
const flood = defineTool({
  name: 'flood',
  title: 'Flood',
  description: 'Reports progress in very large messages.',
  input: z.object({ messages: z.number() }),
  run: async ({ messages }, { progress }) => {
    for (let done = 1; done <= messages; done += 1) await progress(done, messages, 'x'.repeat(MEBIBYTE));
    return 'flooded';
  },
});

let server: TestServer;
/** The responses of the requests so far, by path. */
const responses: { readonly path: string | undefined; readonly response: ServerResponse }[] = [];
const note = (message: unknown): void => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  responses.push({ path: request.url, response });
};
beforeAll(async () => {
  subscribe('http.server.request.start', note);
  server = await startTestServer({ env: { SSE_KEEPALIVE_SECONDS: '1' }, tools: [...fixtureTools, flood] });
});
afterAll(async () => {
  unsubscribe('http.server.request.start', note);
  await server.close();
});

/** Watches how many bytes wait in the server for the latest request of a path, until it closes. */
function watchWaiting(path: string): { readonly response: ServerResponse; highest: () => number } {
  const found = responses.findLast((entry) => entry.path === path);
  if (found === undefined) throw new Error(`No request of ${path}.`);
  const { response } = found;
  let highest = 0;
  const timer = setInterval(() => (highest = Math.max(highest, response.writableLength)), 1).unref();
  response.once('close', () => clearInterval(timer));
  return { response, highest: () => highest };
}

/** Opens an SSE session whose client stops reading. */
async function openStalled(): Promise<{ connection: RawConnection; messages: string }> {
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  const [path = ''] =
    /\/messages\?sessionId=[0-9a-f-]{36}/.exec(await connection.waitFor(/sessionId=[0-9a-f-]{36}/)) ?? [];
  connection.socket.pause();
  return { connection, messages: `${server.url}${path}` };
}

describe('a client that stops reading', () => {
  test('is cut while answers keep coming, before much more than the limit waits for it', async () => {
    const { connection, messages } = await openStalled();
    const { response, highest } = watchWaiting('/sse');
    const message = 'x'.repeat(MEBIBYTE);

    let posts = 0;
    let status = 202;
    for (; status === 202 && posts < 60; posts += 1)
      ({ status } = await send(messages, { token: ADA, body: callTool(posts, 'echo_message', { message }) }));
    const after = await send(messages, { token: ADA, body: rpc('after', 'ping') });
    connection.socket.destroy();

    expect(status).toBe(404);
    expect(after.status).toBe(404);
    expect(response.destroyed).toBe(true);
    // Four bodies of the greatest size, and the message that exceeded the limit.
    expect(highest()).toBeLessThan(4 * 4_194_304 + 2 * MEBIBYTE);
  });

  test('is cut after 30 seconds when mebibytes wait and nothing more is sent, and not before', async () => {
    const { client, response, look } = await openBareStream(12);
    await delay(1);
    const waitingBefore = response.writableLength;

    // The first check is what the others are compared with.
    for (let looks = 0; looks < 60; looks += 1) look();
    const isCutEarly = response.destroyed;
    look();
    const isCut = response.destroyed;
    client.socket.destroy();

    expect(waitingBefore).toBeGreaterThan(2 * MEBIBYTE);
    expect(isCutEarly).toBe(false);
    expect(isCut).toBe(true);
  });

  test('is measured in bytes, also when messages are short and have characters of three bytes', async () => {
    const { client, response } = await openBareStream(600, '€'.repeat(20_000));
    await delay(1);
    const waiting = response.writableLength;
    client.socket.destroy();

    // So many bytes were sent, less what the operating system has taken; there are a third as many characters.
    expect(waiting).toBeGreaterThan((600 * 60_000) / 2);
  });

  test('is cut on the stream of a call too, and its session stays open', async () => {
    const session = await openMcpSession(server.url, ADA);
    const connection = await openRaw(server.url);
    const params = { name: 'flood', arguments: { messages: 40 }, _meta: { progressToken: 1 } };
    const body = JSON.stringify(rpc(1, 'tools/call', params));
    connection.socket.pause();
    connection.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\nMcp-Session-Id: ${session.id}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await eventually(() => responses.at(-1)?.response.headersSent === true);
    const { response, highest } = watchWaiting('/mcp');

    await eventually(() => response.destroyed);
    connection.socket.destroy();
    const after = await session.post(rpc(2, 'ping'));

    expect(highest()).toBeLessThan(4 * 4_194_304 + 2 * MEBIBYTE);
    expect(after.status).toBe(200);
  });
});

describe('a client that reads', () => {
  test('receives twelve answers of a mebibyte each on one SSE stream', async () => {
    const session = await openSse(server.url, ADA);
    const message = 'y'.repeat(MEBIBYTE);
    const calls = Array.from({ length: 12 }, (_, id) => id);

    await Promise.all(calls.map(async (id) => session.post(callTool(id, 'echo_message', { message }))));
    const answers = await Promise.all(calls.map(async (id) => session.answerTo(id)));
    session.close();

    const expected = { content: [{ type: 'text', text: message }] };
    // toEqual would print megabytes when it fails.
    const whole = answers.filter((answer) =>
      JSON.stringify(answer).includes(JSON.stringify(expected).slice(1, -1)),
    );
    expect(whole).toHaveLength(12);
  });

  test('receives twelve mebibytes of progress and the answer on the stream of a call', async () => {
    const session = await openMcpSession(server.url, ADA);
    const params = { name: 'flood', arguments: { messages: 12 }, _meta: { progressToken: 1 } };

    const stream = await openStream(`${server.url}/mcp`, {
      headers: session.headers,
      body: rpc(1, 'tools/call', params),
    });
    const answer = await stream.answerTo(1);

    expect(answer).toMatchObject({ result: { content: [{ text: 'flooded' }] } });
    expect(stream.messages()).toHaveLength(13);
  });

  test('slowly still receives twelve mebibytes that wait for it, and is not cut', async () => {
    const { client, response, look } = await openBareStream(12);
    // One piece between two checks, which is 128 KiB a second. The operating system passes on what waits in portions of a mebibyte or more.
    while (client.socket.bytesRead < 12 * MEBIBYTE && !response.destroyed) {
      client.socket.once('data', () => client.socket.pause()).resume();
      await once(client.socket, 'data');
      await delay(1);
      look();
    }
    const read = client.socket.bytesRead;
    client.socket.destroy();

    expect(read).toBeGreaterThanOrEqual(12 * MEBIBYTE);
  });
});

/** Opens a stream on which so many messages are sent, and which is checked when the test calls `look`. */
async function openBareStream(
  messages: number,
  message = 'z'.repeat(MEBIBYTE),
): Promise<{ client: RawConnection; response: ServerResponse; look: () => void }> {
  const streams = new EventStreams({
    keepAliveMs: 1e9,
    unsentHardLimit: 1e9,
    unsentPerUser: 1e9,
    now: () => 0,
  });
  const bare = createServer((_request, answer) => {
    const stream = streams.adopt(answer.writeHead(200), { user: ANONYMOUS });
    for (let sent = 0; sent < messages; sent += 1) stream.sendText(message);
  }).listen(0, '127.0.0.1');
  await once(bare, 'listening');
  const client = await openRaw(`http://127.0.0.1:${(bare.address() as AddressInfo).port}`);
  client.socket.pause();
  const asked = once(bare, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [, response] = await asked;
  bare.close();
  return { client, response, look: () => streams.tick() };
}
