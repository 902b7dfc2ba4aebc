/** Streams towards clients that do not read are bounded and cut; clients that read get everything, however large. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
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

/** Sends so many progress messages of a mebibyte each: more than any client asks for. */
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
/** The server's side of the requests so far, by path. */
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

/** Watches how much waits in the server for the latest request of a path, until it is stopped. */
function watchWaiting(path: string): { readonly response: ServerResponse; highest: () => number } {
  const found = responses.findLast((entry) => entry.path === path);
  if (found === undefined) throw new Error(`No request of ${path}.`);
  const { response } = found;
  let highest = 0;
  const timer = setInterval(() => (highest = Math.max(highest, response.writableLength)), 1).unref();
  response.once('close', () => clearInterval(timer));
  return { response, highest: () => highest };
}

/** Opens an SSE session whose client reads nothing any more. */
async function openStalled(): Promise<{ connection: RawConnection; messages: string }> {
  const connection = await openRaw(server.url);
  connection.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
  const [path = ''] =
    /\/messages\?sessionId=[0-9a-f-]{36}/.exec(await connection.waitFor(/sessionId=[0-9a-f-]{36}/)) ?? [];
  connection.socket.pause();
  return { connection, messages: `${server.url}${path}` };
}

describe('a client that stops reading', () => {
  test('is cut when answers keep coming, before much more than the hard limit waits for it', async () => {
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
    // Four bodies of the largest size, and the message that went beyond.
    expect(highest()).toBeLessThan(4 * 4_194_304 + 2 * MEBIBYTE);
  });

  test('is cut within seconds when a few mebibytes wait and nothing more comes', async () => {
    const { connection, messages } = await openStalled();
    const { response } = watchWaiting('/sse');
    const message = 'x'.repeat(MEBIBYTE / 2);
    const limit = 2 * MEBIBYTE;
    for (let call = 0; response.writableLength <= limit && call < 60; call += 1)
      await send(messages, { token: ADA, body: callTool(call, 'echo_message', { message }) });
    const waitingBefore = response.writableLength;

    await eventually(() => response.destroyed, { deadlineMs: 4_000 });
    connection.socket.destroy();

    expect(waitingBefore).toBeGreaterThan(limit);
    expect(waitingBefore).toBeLessThan(2 * limit);
  });

  test('is cut on the stream of a call as well, and the session goes on', async () => {
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
  test('gets twelve answers of a mebibyte at once on one SSE stream', async () => {
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

  test('gets messages of many mebibytes on the stream of a call', async () => {
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

  test('slowly gets twelve mebibytes that wait for it: only who reads nothing is cut', async () => {
    const { connection, messages } = await openStalled();
    const message = 'z'.repeat(3 * MEBIBYTE);
    let read = 0;
    // One piece at a time, and then a rest.
    connection.socket.on('data', (chunk) => {
      read += chunk.length;
      connection.socket.pause();
    });
    for (const id of [1, 2, 3, 4])
      await send(messages, { token: ADA, body: callTool(id, 'echo_message', { message }) });

    const reading = setInterval(() => connection.socket.resume(), 10);
    await eventually(() => read > 12 * MEBIBYTE || connection.socket.destroyed, { deadlineMs: 55_000 });
    clearInterval(reading);
    connection.socket.destroy();

    expect(read).toBeGreaterThan(12 * MEBIBYTE);
  }, 60_000);
});
