/** Bodies made to cost the server much, through the real process: what one takes of its memory and of its only thread. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { testEach } from '../support/in-ci.ts';
import { createSandbox } from '../support/process.ts';
import { initialize, openMcpSession, openRaw, parseAnswer, rpc, send } from '../support/raw-http.ts';
import { startServer, type ServerProcess, TOKEN, WITH_TOKENS } from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(sandbox.close);

const MIB = 1024 * 1024;

test('a body of 1 MiB in one-byte chunks takes a few times its size, not fifty times', async () => {
  const server = await startServer(sandbox, WITH_TOKENS);
  // What is resident after a body of the same size as usual is what such bodies take anyway.
  const usual = await send(`${server.url}/mcp`, { token: TOKEN.ada, body: ' '.repeat(MIB) });
  const before = residentBytes(server);

  const connection = await openRaw(server.url);
  connection.write(
    [
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${TOKEN.ada}`,
      'Content-Type: application/json',
      'Connection: close',
      'Transfer-Encoding: chunked',
      '\r\n',
    ].join('\r\n'),
  );
  const piece = '1\r\n \r\n'.repeat(MIB / 16);
  for (let sent = 0; sent < 16; sent += 1) connection.write(piece);
  connection.write('0\r\n\r\n');
  const answer = parseAnswer(await connection.closed(60_000));

  expect([usual.status, answer.status]).toEqual([400, 400]);
  expect(residentBytes(server) - before).toBeLessThan(40 * MIB);
}, 90_000);

/** The most that a body may hold of one thing, and all of which there is room for in 4 MiB. */
const SHAPES: readonly (readonly [string, () => string])[] = [
  ['distinct names', () => `{${many(19_900, (index) => `"k${index}":1`)}}`],
  ['too many names', () => `{${many(350_000, (index) => `"k${index}":1`)}}`],
  ['names that are numbers', () => `{${many(19_900, (index) => `"${(index * 7919) % 4_294_967_290}":1`)}}`],
  ['small objects', () => `{"a":[${many(19_900, (index) => `{"k${index}":1}`)}]}`],
  ['arrays', () => `{"a":[${many(49_000, () => '[]')}]}`],
  ['too many arrays', () => `{"a":[${many(1_300_000, () => '[]')}]}`],
];

/** As many bytes as a body may have, made of what costs least: one text. */
const TEXT = JSON.stringify({ a: 'é'.repeat(2_000_000) });

/** How many times as long as that text a body may take. Without bounds, names alone take more than ten times. */
const MOST_RATIO = 3;

/** Requests with such a value in one of the places that somebody looks at. */
const PLACES: readonly (readonly [string, (value: string) => string])[] = [
  ['the arguments of a call', (value) => spell(rpc(1, 'tools/call', { name: 'echo_message', arguments: 0 }), value)],
  ['_meta', (value) => spell(rpc(1, 'resources/list', { _meta: 0 }), value)],
  ['a result', (value) => spell({ jsonrpc: '2.0', id: 1, result: 0 }, value)],
  ['the capabilities of initialize', (value) => spell(initializeWith({ capabilities: 0 }), value)],
  ['experimental capabilities', (value) => spell(initializeWith({ capabilities: { experimental: 0 } }), value)],
  ['the clientInfo of initialize', (value) => spell(initializeWith({ clientInfo: { name: 'x', version: '1', x: 0 } }), value)],
]; // prettier-ignore

testEach(PLACES)('in %s no body takes the only thread much longer than 4 MiB of text do, whatever it is made of', async (place, request) => {
  const server = await startServer(sandbox, WITH_TOKENS);
  const session = await openMcpSession(server.url, TOKEN.ada);
  const headers: Record<string, string> = place.includes('initialize') || place.includes('experimental') ? {} : session.headers;
  const tooLong: string[] = [];
  for (const [shape, value] of SHAPES) {
    const body = request(value());
    // Beside the text, as a machine's speed changes; the first of a kind also takes what its code takes to be compiled.
    const ratios: number[] = [];
    while (ratios.length < 5 && !(Math.min(...ratios) <= MOST_RATIO)) {
      const usualMs = await threadMsOf(server, request(TEXT), headers);
      ratios.push((await threadMsOf(server, body, headers)) / usualMs);
    }
    if (Math.min(...ratios) > MOST_RATIO) tooLong.push(`${shape}: ${Math.min(...ratios).toFixed(1)} times as long`);
  }

  expect(tooLong).toEqual([]);
}, 120_000); // prettier-ignore

/** How long the server's only thread runs for a message. Not how long it takes: others use the machine, too. */
async function threadMsOf(
  server: ServerProcess,
  body: string,
  headers: Record<string, string>,
): Promise<number> {
  const before = threadMs(server);
  const { status } = await send(`${server.url}/mcp`, { token: TOKEN.ada, headers, body });
  await send(`${server.url}/health`);
  expect(status).toBeLessThan(500);
  return threadMs(server) - before;
}

/** A list of things, by comma. */
function many(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join(',');
}

/** A message as JSON, with a value in the place of the zero. */
function spell(message: object, value: string): string {
  return JSON.stringify(message).replace(/:0(?=[,}])(?!.*:0[,}])/, () => `:${value}`);
}

/** An `initialize` request with other parameters. */
function initializeWith(params: object): object {
  const { params: usual } = initialize('2025-11-25', 1) as { params: object };
  return rpc(1, 'initialize', { ...usual, ...params });
}

/** How much memory the server has. */
function residentBytes({ child }: ServerProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** How long the server's only thread has run, in milliseconds. */
function threadMs({ child }: ServerProcess): number {
  return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}
