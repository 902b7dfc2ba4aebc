/** The bundle's bridge where a proxy answers in the server's place, and where a session cannot be had at once: nothing that writes runs twice, and nothing stays dead. */
import path from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';
import { type Exchange, type RunningFault, startFaultyProxy } from '../support/faulty-proxy.ts';
import { testEach } from '../support/in-ci.ts';
import { ROOT } from '../support/process.ts';
import { eventually } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

/** How often each tool has run. */
const runs = new Map<string, number>();

/** A tool that counts its calls, and says of itself what these annotations say. */
const counting = (name: string, annotations: { readOnlyHint?: boolean; idempotentHint?: boolean }) =>
  defineTool({
    name,
    title: name,
    description: 'Counts its calls.',
    input: z.object({}),
    annotations,
    async run() {
      const times = (runs.get(name) ?? 0) + 1;
      runs.set(name, times);
      return `run ${times}`;
    },
  });
const tools = [
  counting('write', { readOnlyHint: false }),
  counting('read', { readOnlyHint: true }),
  counting('set', { readOnlyHint: false, idempotentHint: true }),
];

/** What becomes of the answers to the next posts, in their order; those after them pass. */
const faults: ((exchange: Exchange) => void)[] = [];

/** The session of each request, with its method. */
const seen: { readonly method: string; readonly session: string | undefined }[] = [];

/** A session that the server is to know no more. */
let lost: string | undefined;

let server: TestServer;
let proxy: RunningFault;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ tools });
  proxy = await startFaultyProxy(server.url, {
    changeRequest({ method = '', headers }) {
      const session = headers['mcp-session-id']?.toString();
      seen.push({ method, session });
      if (session !== undefined && session === lost) headers['mcp-session-id'] = 'unknown';
    },
    answer(exchange) {
      const fault = exchange.incoming.method === 'POST' ? faults.shift() : undefined;
      if (fault === undefined) exchange.forward();
      else fault(exchange);
    },
  });
  client = new Client({ name: 'host', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [path.join(ROOT, 'bundle/connect.mjs')],
      env: { MCP_URL: `${proxy.url}/mcp`, MCP_TOKEN: ADA, PATH: process.env['PATH'] ?? '' },
      stderr: 'ignore',
    }),
  );
  await client.listTools();
});
afterEach(() => {
  faults.length = 0;
  runs.clear();
  lost = undefined;
});
afterAll(async () => {
  await client.close();
  await proxy.close();
  await server.close();
});

/** The text of a tool's answer. */
async function call(name: string): Promise<string> {
  const { content } = await client.callTool({ name, arguments: {} });
  return JSON.stringify(content);
}

/** Answers with a page of its own, when the server has done its work. */
function instead(status: number, headers: Readonly<Record<string, string>> = {}) {
  return ({ upstream, res }: Exchange): void => {
    upstream.resume();
    res.writeHead(status, { 'Content-Type': 'text/html', ...headers }).end('<title>Bad gateway</title>');
  };
}

/** Has the server forget the bridge's session. */
function loseSession(): void {
  lost = seen.findLast(({ method }) => method === 'POST')?.session;
  expect(lost).toBeDefined();
}

/** Waits until the stream of a session that is not the lost one has been asked for, and returns the session of the last post. */
async function untilStreamIsBack(): Promise<string | undefined> {
  const session = seen.findLast(({ method }) => method === 'POST')?.session;
  await eventually(() => seen.some((one) => one.method === 'GET' && one.session === session), {
    what: 'the stream of the session that took the place of the lost one',
  });
  return session;
}

testEach([502, 503, 504])(
  'a tool that may write is not called again after a %i, and the error says that it may have run',
  async (status) => {
    faults.push(instead(status));

    await expect(call('write')).rejects.toThrow(
      `Status ${status} came in the place of the server's answer; what was asked may or may not have been done.`,
    );

    expect(runs.get('write')).toBe(1);
  },
);

testEach(['read', 'set'])(
  'the tool "%s", which is read-only or idempotent, is called again',
  async (name) => {
    faults.push(instead(504));

    expect(await call(name)).toContain('run 2');
  },
);

test('lists are requested again', async () => {
  faults.push(instead(502));

  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['write', 'read', 'set']);
});

test('any request that is answered 503 with Retry-After is sent again, as it has not run', async () => {
  faults.push(({ upstream, res }) => {
    upstream.resume();
    // As if the server had not run it.
    runs.delete('write');
    res.writeHead(503, { 'Retry-After': '0' }).end();
  });

  expect(await call('write')).toContain('run 1');
});

test('a session that could not be replaced is replaced at the next message, with its stream', async () => {
  loseSession();
  faults.push(({ forward }) => forward(), instead(429));

  await expect(call('write')).rejects.toThrow('429');
  expect(await call('write')).toContain('run 1');

  expect(await untilStreamIsBack()).not.toBe(lost);
});

test('a session whose beginning nobody heard the end of has its stream all the same', async () => {
  loseSession();
  faults.push(
    ({ forward }) => forward(),
    ({ forward }) => forward(),
    ({ res }) => void res.destroy(),
  );

  expect(await call('write')).toContain('run 1');

  expect(await untilStreamIsBack()).not.toBe(lost);
});
