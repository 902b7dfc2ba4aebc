/** What must not end the process, nor anybody else's stream: exceptions that nobody catches, and running out of descriptors. */
import { afterEach, expect, test } from '@jest/globals';
import { testEach } from '../support/in-ci.ts';
import { createSandbox, waitFor } from '../support/process.ts';
import {
  callTool,
  eventually,
  openMcpSession,
  openRaw,
  type RawConnection,
  send,
} from '../support/raw-http.ts';
import { fixtureEntry, parseLog, TOKEN, WITH_TOKENS } from '../support/server-process.ts';
import { openSse } from '../support/sse-reader.ts';

const sandbox = createSandbox();
afterEach(sandbox.close);

testEach([
  ['throw', 'uncaught exception'],
  ['reject', 'unhandled rejection'],
] as const)('an exception that nobody catches (%s) is logged, and ends neither the process nor a stream', async (how, message) => {
  const server = await start(fixtureEntry('http', 'explode'));
  const stream = await openSse(server.url, TOKEN.bob);
  const session = await openMcpSession(server.url, TOKEN.ada);

  const answer = await session.post(callTool(1, 'explode', { how }));
  await waitFor(`the log line "${message}"`, () => server.log().some(({ msg }) => msg === message));
  await stream.post(callTool(2, 'whoami'));

  expect(answer.text).toContain('lit');
  expect(JSON.stringify(await stream.answerTo(2))).toContain('bob');
  expect((await session.post(callTool(3, 'whoami'))).text).toContain('ada');
  expect(server.process.child.exitCode).toBeNull();
  stream.close();
}); // prettier-ignore

test('when there are no descriptors left, the server waits, keeps its streams, and serves again', async () => {
  const server = await start(fixtureEntry('http'), 'ulimit -n 256;');
  const stream = await openSse(server.url, TOKEN.bob);

  const connections = await openAsManyAsPossible(server.url);
  for (const { socket } of connections) socket.destroy();
  // It may take the server a moment to see that they are gone.
  await eventually(async () => (await send(`${server.url}/health`).catch(() => undefined))?.status === 200);
  await stream.post(callTool(1, 'whoami'));

  expect(JSON.stringify(await stream.answerTo(1))).toContain('bob');
  expect((await send(`${server.url}/health`)).status).toBe(200);
  expect(server.process.child.exitCode).toBeNull();
  expect(server.log().filter(({ level }) => level === 'error')).toEqual([]);
  expect(server.log().filter(({ msg }) => String(msg).startsWith('connections are turned away'))).toMatchObject([
    { level: 'warn', limit: 'open files', most: 192 },
  ]);
  expect(server.log().find(({ msg }) => String(msg).startsWith('too few descriptors'))).toMatchObject({
    limit: 256,
    needed: 10_064,
  });
  stream.close();
}); // prettier-ignore

test('what some requests need is there although descriptors were used up before the first of them came', async () => {
  const server = await start(fixtureEntry('http'), 'ulimit -n 256;', { LOG_LEVEL: 'debug' });
  await waitFor('everything to be loaded', () => server.log().some(({ msg }) => msg === 'loaded ahead'));
  const before: RawConnection[] = await Promise.all(Array.from({ length: 6 }, async () => openRaw(server.url)));
  const others = await openAsManyAsPossible(server.url);

  const asked = [
    { head: 'GET /tools', token: 'wrong', status: 401 },
    { head: 'GET /page/page.js', token: '', status: 200 },
    { head: 'GET /', token: '', status: 200 },
    { head: 'GET /nothing', token: '', status: 404 },
    { head: 'GET /.well-known/x', token: 'wrong', status: 404 },
    { head: 'GET /sse', token: TOKEN.ada, status: 200 },
  ];
  const statuses = await Promise.all(
    asked.map(async ({ head, token }, index) => {
      const connection = before[index];
      connection?.write(`${head} HTTP/1.1\r\nHost: localhost\r\n${token && `Authorization: Bearer ${token}\r\n`}\r\n`);
      return Number((await connection?.waitFor(/^HTTP\/1.1 \d+/))?.slice(9, 12));
    }),
  );
  for (const { socket } of [...before, ...others]) socket.destroy();

  expect(statuses).toEqual(asked.map(({ status }) => status));
}); // prettier-ignore

/**
 * Opens more connections than the server has descriptors for, and waits until some are turned away. A few are so quickly that they
 * are never open as far as this process can tell.
 */
async function openAsManyAsPossible(url: string): Promise<RawConnection[]> {
  const outcomes = await Promise.allSettled(Array.from({ length: 400 }, async () => openRaw(url)));
  const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  await eventually(() => opened.length < outcomes.length || opened.some(({ socket }) => socket.destroyed), {
    what: 'a connection that is turned away',
  });
  return opened;
}

/** Starts the built server through a shell, which may set limits first. */
async function start(entry: readonly string[], limits = '', env: Readonly<Record<string, string>> = {}) {
  const cwd = await sandbox.folder(WITH_TOKENS.files);
  const [command, ...words] = [process.execPath, ...entry];
  const started = sandbox.spawn({
    command: limits === '' ? command : 'sh',
    args: limits === '' ? words : ['-c', `${limits} exec "$0" "$@"`, command, ...words],
    cwd,
    env: { PORT: '0', ...WITH_TOKENS.env, ...env },
  });
  const log = () => parseLog(started.stderr());
  const line = await waitFor('listening', () => log().find(({ msg }) => msg === 'listening'));
  return { url: String(line['url']), process: started, log };
}
