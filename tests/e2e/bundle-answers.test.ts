/** The bundle's bridge in what a client hides: answers that are none of MCP or never come, and the headers of requests without session. Messages are written by hand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { listenOnLoopback } from '../../lab/conformance/loopback.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { startFixedAnswer } from '../support/faulty-proxy.ts';
import { testEach } from '../support/in-ci.ts';
import { createSandbox, ROOT, type TestProcess, waitFor, waitForEnd } from '../support/process.ts';
import { stateless } from '../support/raw-http.ts';
import { ADA, startTestServer } from '../support/start-server.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** What a host asks. */
const LIST = { jsonrpc: '2.0', id: 7, method: 'tools/list' };

/** Starts the bridge for a server. */
async function startBridge(url: string, env: Readonly<Record<string, string>> = {}): Promise<TestProcess> {
  return sandbox.spawn({
    args: [path.join(ROOT, 'bundle/connect.mjs')],
    cwd: await sandbox.folder(),
    env: { MCP_URL: `${url}/mcp`, MCP_TOKEN: ADA, ...env },
  });
}

/** Writes messages, a line each. */
function write({ child }: TestProcess, ...messages: object[]): void {
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
}

/** The first line that the bridge writes, as JSON. */
async function firstAnswer(bridge: TestProcess): Promise<unknown> {
  const line = await waitFor('an answer', () => /^.+(?=\n)/.exec(bridge.stdout())?.[0]);
  return JSON.parse(line);
}

/** What the bridge answers to a request where a server gives every request this answer. */
async function answerAt(
  status: number,
  body: string,
  contentType = 'text/html',
  location?: string,
): Promise<unknown> {
  const server = await startFixedAnswer(status, contentType, body, location);
  sandbox.defer(async () => server.close());
  const bridge = await startBridge(server.url);
  write(bridge, LIST);
  return firstAnswer(bridge);
}

testEach([
  [200, '<title>Log in</title>'],
  [200, '{"status":"ok"}'],
  [202, ''],
  [204, ''],
] as const)('a request that is answered %i with "%s" ends with a JSON-RPC error', async (status, body) => {
  const answer = await answerAt(status, body);

  expect(answer).toEqual({
    jsonrpc: '2.0',
    id: 7,
    error: {
      code: -32_000,
      message: expect.stringMatching(
        new RegExp(
          `^Something else than an MCP server answered at 127\\.0\\.0\\.1:\\d+ \\(status ${status}\\): check the address, and that no login or waiting page stands in front of it\\.$`,
        ),
      ),
    },
  });
});

testEach([
  ['application/json', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}'],
  ['application/json', '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"}}'],
  [
    'text/event-stream',
    'data: {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n\n',
  ],
] as const)(
  'an error that names no request answers the one that was sent: %s, %s',
  async (contentType, body) => {
    const answer = await answerAt(200, body, contentType);

    expect(answer).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32_700, message: 'Parse error' } });
  },
);

testEach([301, 302, 307, 308])(
  'a redirect (%i) is not followed, and the error names its target',
  async (status) => {
    const answer = await answerAt(status, '');

    expect(answer).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^The server has moved to https:\/\/elsewhere\.example\/: install its extension anew from there, /,
        ),
      },
    });
  },
);

test('a redirect to the same address is reported as a fault, not as a new address', async () => {
  const answer = await answerAt(302, '', 'text/html', '?again=secret');

  expect(answer).toMatchObject({
    error: {
      message: expect.stringMatching(
        /^The address http:\/\/127\.0\.0\.1:\d+\/\S* redirects to itself, and leads nowhere: whoever runs the server .*X-Forwarded-Proto/,
      ),
    },
  });
  expect(JSON.stringify(answer)).not.toContain('secret');
});

/** A request of the revision without sessions. */
function alone(id: number, method: string) {
  const params = { name: 'slow', _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
  return { jsonrpc: '2.0', id, method, params };
}

/** Starts a server whose answers are streams that never end; `ids` are those of the messages that came, `open` of those whose streams are open. */
async function startEndless() {
  const ids: unknown[] = [];
  const open = new Set<unknown>();
  const hold = async (incoming: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { id } = (await json(incoming)) as { id?: unknown };
    ids.push(id);
    open.add(id);
    res.once('close', () => open.delete(id));
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': here\n\n');
  };
  const server = createServer((incoming, res) => void hold(incoming, res));
  const port = await listenOnLoopback(server);
  sandbox.defer(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, ids, open };
}

test('an open subscription does not keep the bridge running after its host has gone', async () => {
  const { url, open } = await startEndless();
  const bridge = await startBridge(url);
  write(bridge, alone(1, 'subscriptions/listen'));
  await waitFor('the stream', () => open.has(1));

  bridge.child.stdin.end();

  expect(await waitForEnd(bridge)).toMatchObject({ code: 0 });
  expect([bridge.stdout(), bridge.stderr()]).toEqual(['', '']);
});

test('what is never answered is waited for as long as a server is, when the host is gone', async () => {
  const { url, open } = await startEndless();
  const bridge = await startBridge(url, { MCP_PATIENCE_MS: '100' });
  write(bridge, { ...LIST, id: 1 });
  await waitFor('the stream', () => open.has(1));

  bridge.child.stdin.end();

  expect(await waitForEnd(bridge)).toMatchObject({ code: 0 });
});

test('cancelling a stateless request closes its response, and the bridge writes no answer', async () => {
  const { url, ids, open } = await startEndless();
  const bridge = await startBridge(url);
  write(bridge, alone(1, 'tools/call'));
  await waitFor('the stream', () => open.has(1));

  write(bridge, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  await waitFor('the end of the stream', () => !open.has(1));
  write(bridge, alone(2, 'tools/list'));
  await waitFor('the next request', () => open.has(2));

  expect(ids).toEqual([1, 2]);
  expect([bridge.stdout(), bridge.stderr()]).toEqual(['', '']);
});

testEach([
  ['with a session', LIST, ['tools/list', 'notifications/cancelled']],
  ['without one', alone(7, 'tools/list'), ['tools/list']],
] as const)(
  'a request that waits for its next attempt, %s, ends when it is cancelled, and is not sent again',
  async (_, request, sent) => {
    const methods: unknown[] = [];
    let isRefused = false;
    const refuse = async (incoming: IncomingMessage, res: ServerResponse): Promise<void> => {
      const { method } = (await json(incoming)) as { method?: unknown };
      methods.push(method);
      res.once('close', () => (isRefused = true));
      if (method === 'tools/list') res.writeHead(503, { 'Retry-After': '60' }).end();
      else res.writeHead(202).end();
    };
    const server = createServer((incoming, res) => void refuse(incoming, res));
    const port = await listenOnLoopback(server);
    sandbox.defer(async () => server.close());
    const bridge = await startBridge(`http://127.0.0.1:${port}`);
    write(bridge, request);
    await waitFor('the refusal', () => isRefused);

    write(bridge, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    bridge.child.stdin.end();

    // The next try would come after 10 s.
    expect(await waitForEnd(bridge, { timeoutMs: 8_000 })).toMatchObject({ code: 0 });
    expect(methods).toEqual(sent);
    expect([bridge.stdout(), bridge.stderr()]).toEqual(['', '']);
  },
);

/** A server with a tool whose parameter a header must repeat, and a bridge to it. */
async function startRegional(): Promise<TestProcess> {
  const regional = defineTool({
    name: 'regional',
    title: 'Regional',
    description: 'Says which region it was asked for.',
    input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    run: (input) => `region ${input.region}`,
  });
  const server = await startTestServer({ tools: [regional] });
  sandbox.defer(async () => server.close());
  return startBridge(server.url);
}

/** Calls that tool. */
function callRegional({ child }: TestProcess, region: string): void {
  const params = { name: 'regional', arguments: { region } };
  const { body } = stateless({ method: 'tools/call', params }, { id: 2 });
  child.stdin.write(`${JSON.stringify(body)}\n`);
}

testEach(['n\u00F6rdlich', 'north', '=?base64?eA==?=', ''])(
  'a parameter that a header must repeat is sent in it: "%s"',
  async (region) => {
    const bridge = await startRegional();

    bridge.child.stdin.write(`${JSON.stringify(stateless({ method: 'tools/list' }).body)}\n`);
    await firstAnswer(bridge);
    callRegional(bridge, region);
    const answer = await waitFor('the second answer', () => bridge.stdout().split('\n').slice(0, -1)[1]);

    expect(JSON.parse(answer)).toMatchObject({ id: 2, result: { content: [{ text: `region ${region}` }] } });
  },
);

test('a client that has not listed the tools can call one with such a parameter', async () => {
  const bridge = await startRegional();

  callRegional(bridge, 'north');

  expect(await firstAnswer(bridge)).toMatchObject({ id: 2, result: { content: [{ text: 'region north' }] } });
});
