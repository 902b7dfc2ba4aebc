/** What is recorded of calls, over every transport: the line in the log and the event on the channel. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { CALL_BEGINS, CALL_ENDED, type CallEvent } from '../../src/mcp/call-records.ts';
import type { Feature } from '../../src/mcp/feature.ts';
import { definePrompt } from '../../src/mcp/prompt.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { confirm } from '../support/confirm-tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { connectKind, KINDS } from '../support/kinds.ts';
import { callTool, openMcpSession, rpc, send, stateless } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

/** Returns its trace headers and the store within which it runs, and logs a line of its own. */
const outside = defineTool({
  name: 'outside',
  title: 'Outside',
  description: 'Hands its trace on.',
  input: z.object({}),
  run: async (_input, { traceHeaders, log }) => {
    await Promise.resolve();
    log.info('on its way');
    return JSON.stringify({ ...traceHeaders, store: store.getStore()?.name });
  },
});

const store = new AsyncLocalStorage<CallEvent>();
const events: CallEvent[] = [];
const note = (event: unknown): void => void events.push(event as CallEvent);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ tools: [...fixtureTools, outside, confirm] });
  subscribe(CALL_ENDED, note);
});
afterEach(() => void events.splice(0));
afterAll(async () => {
  unsubscribe(CALL_ENDED, note);
  await server.close();
});

/** The lines of tool calls so far. */
function callLines(): readonly Record<string, unknown>[] {
  return server.lines.filter(({ msg }) => msg === 'tool call');
}

describe.each(KINDS)('a call over %s', (kind) => {
  test.each(['whoami', 'confirm', 'no_such_tool'])(
    'of %s is recorded once, with its client, in the log and on the channel',
    async (name) => {
      const before = callLines().length;
      const client = await connectKind(server.url, { kind, token: ADA });
      await client.callTool({ name, arguments: {} }).catch(() => undefined);
      await client.close();

      const transport = kind === 'sse' ? 'sse' : 'streamable-http';
      const shown = name === 'no_such_tool' ? '(unknown)' : name;
      const facts = { userId: 'ada', client: 'test 1', transport };
      const outcome = name === 'no_such_tool' ? 'unknown_tool' : 'ok';
      expect(callLines().slice(before)).toMatchObject([{ ...facts, tool: shown, outcome }]);
      expect(events).toMatchObject([
        { ...facts, method: 'tools/call', name: shown, outcome, durationMs: expect.any(Number) },
      ]);
    },
  );
});

describe('the trace of a call', () => {
  const _meta = { traceparent: PARENT, baggage: 'a=b' };

  test.each<[string, () => Promise<{ readonly text: string }>]>([
    [
      'a session, in _meta',
      async () => {
        const session = await openMcpSession(server.url, ADA);
        return session.post(rpc(1, 'tools/call', { name: 'outside', arguments: {}, _meta }));
      },
    ],
    [
      'a session, in the headers',
      async () => {
        const session = await openMcpSession(server.url, ADA);
        return session.post(callTool(1, 'outside'), { headers: { traceparent: PARENT, baggage: 'a=b' } });
      },
    ],
    [
      'the stateless revision',
      async () => {
        const message = { method: 'tools/call', params: { name: 'outside', arguments: {}, _meta } };
        return send(`${server.url}/mcp`, stateless(message, { token: ADA }));
      },
    ],
  ])('over %s is in the log lines and available to the tool', async (_way, call) => {
    const before = server.lines.length;

    const { text } = await call();

    expect(text).toContain(
      JSON.stringify(JSON.stringify({ traceparent: PARENT, baggage: 'a=b' })).slice(1, -1),
    );
    const lines = server.lines.slice(before).filter(({ traceId }) => traceId !== undefined);
    expect(lines.map(({ msg, traceId }) => [msg, traceId])).toEqual([
      ['on its way', TRACE_ID],
      ['tool call', TRACE_ID],
    ]);
    expect(events).toMatchObject([{ trace: { traceId: TRACE_ID } }]);
  });
});

test('a call runs within the store that is bound to the channel of its beginning', async () => {
  const begins = channel(CALL_BEGINS);
  begins.bindStore(store);

  const { text } = await send(
    `${server.url}/mcp`,
    stateless({ method: 'tools/call', params: { name: 'outside', arguments: {} } }, { token: ADA }),
  );
  begins.unbindStore(store);

  expect(text).toContain(String.raw`\"store\":\"outside\"`);
});

test('a subscriber to the beginning of calls can replace the trace of a call', async () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const replace = (event: unknown): void =>
    void ((event as CallEvent).trace = { traceId: 'a'.repeat(32), traceparent });
  subscribe(CALL_BEGINS, replace);
  const before = server.lines.length;

  const params = { name: 'outside', arguments: {}, _meta: { traceparent: PARENT } };
  const { text } = await send(
    `${server.url}/mcp`,
    stateless({ method: 'tools/call', params }, { token: ADA }),
  );
  unsubscribe(CALL_BEGINS, replace);

  expect(text).toContain(traceparent);
  const traces = server.lines.slice(before).map(({ traceId }) => traceId);
  expect(traces.filter((traceId) => traceId !== undefined)).toEqual(['a'.repeat(32), 'a'.repeat(32)]);
});

test('prompts are recorded, and so are tools of features, but names of unknown tools are not', async () => {
  const feature: Feature = {
    name: 'some',
    prompts: [definePrompt({ name: 'drill', title: 'Drill', description: 'Drills.', run: () => 'Go.' })],
    register(own) {
      own.registerTool('by_hand', { inputSchema: z.object({}) }, async () => ({ content: [] }));
    },
  };
  const own = await startTestServer({ features: [feature] });
  const session = await openMcpSession(own.url, ADA);

  await session.post(rpc(1, 'prompts/get', { name: 'drill' }));
  await session.post(callTool(2, 'by_hand'));
  await session.post(callTool(3, 'sEcReT'));
  await own.close();

  expect(events.map(({ method, name, outcome }) => [method, name, outcome])).toEqual([
    ['prompts/get', 'drill', 'ok'],
    ['tools/call', 'by_hand', 'ok'],
    ['tools/call', '(unknown)', expect.stringMatching(/^(ok|error)$/)],
  ]);
});

test('the client of a session is still known when the session continues at another process', async () => {
  const env = {
    SERVER_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url'),
  };
  const [first, second] = [await startTestServer({ env }), await startTestServer({ env })];
  const session = await openMcpSession(first.url, ADA);

  await send(`${second.url}/mcp`, { headers: session.headers, body: callTool(1, 'whoami') });
  await Promise.all([first.close(), second.close()]);

  expect(events).toMatchObject([{ name: 'whoami', client: 'raw 1' }]);
});
