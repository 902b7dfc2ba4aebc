/** The server of one session: when it makes the SDK's server, what it passes to it, and who receives what. */
import { describe, expect, test } from '@jest/globals';
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Content } from '../../src/mcp/content.ts';
import type { Feature } from '../../src/mcp/feature.ts';
import { spellAnswer } from '../../src/mcp/lane.ts';
import type { Channel, Reply } from '../../src/mcp/messages.ts';
import { readPlainCall } from '../../src/mcp/plain-call.ts';
import type { Handshake } from '../../src/mcp/sdk-session.ts';
import type { McpDefinition } from '../../src/mcp/server.ts';
import { McpSession } from '../../src/mcp/session.ts';
import { defineTool, type Tool, ToolResult } from '../../src/mcp/tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { createHeldTool } from '../support/held-tool.ts';
import { createFastLane } from '../../src/mcp/fast-lane.ts';
import { createCaller, createDefinition } from '../support/in-memory-mcp.ts';
import { eventually } from '../support/raw-http.ts';

/** A session and its client's side. */
interface Fixture {
  readonly session: McpSession;
  readonly definition: McpDefinition;
  /** What the client received, in order: answers, notifications, and a word where no answer will come. */
  readonly heard: unknown[];
  /** How often a request was reported as settled. */
  readonly settled: () => number;
  /** How many servers of the SDK there are, not counting the one from which the fast lane learns its answers. */
  readonly servers: () => number;
  request(id: string | number, method: string, params?: object): void;
  note(method: string, params?: object): void;
  /** Waits until the client has received so many. */
  until(count: number): Promise<void>;
}

const CALLER = createCaller({ userId: 'ada' }, 'request-1');

/** Opens a session. */
function openSession({
  tools = fixtureTools,
  features = [],
  handshake,
  ...rest
}: {
  tools?: readonly Tool[];
  features?: readonly Feature[];
  handshake?: Handshake;
  maxCallsPerUser?: number;
} = {}): Fixture {
  const { definition: plain } = createDefinition({ tools, features, shortWay: createFastLane, ...rest });
  let looks = 0;
  const definition = {
    ...plain,
    get registrations() {
      looks += 1;
      return plain.registrations;
    },
  };
  const heard: unknown[] = [];
  let settled = 0;
  const channel: Channel = {
    send: async (message) => void heard.push(message),
    onSettled: () => void (settled += 1),
  };
  const reply: Reply = {
    settle: (json) => void heard.push(json === undefined ? 'no answer' : JSON.parse(json)),
    abandon: (id) => void heard.push(`abandoned ${id}`),
    stream: () => ({ send: (message) => void heard.push(message) }),
  };
  const session = new McpSession({ definition, userId: 'ada', channel, handshake });
  const looksAtFirst = looks;
  return {
    session,
    definition,
    heard,
    settled: () => settled,
    servers: () => (features.length > 0 ? looks : looks - looksAtFirst),
    request: (id, method, params) => {
      const message = rpc(id, method, params);
      session.request({ message, call: readPlainCall(message) }, CALLER, reply);
    },
    note: (method, params) =>
      session.note({ jsonrpc: '2.0', method, ...(params && { params: { ...params } }) }, CALLER),
    until: (count) => eventually(() => heard.length >= count, { what: `${count} messages` }),
  };
}

/** A request. */
function rpc(id: string | number, method: string, params?: object): JSONRPCRequest {
  return { jsonrpc: '2.0', id, method, ...(params && { params: { ...params } }) };
}

/** The params of `initialize`. */
const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

/** The answer to a request that only the SDK can answer. */
const notFound = (id: number): object => ({ id, error: { code: -32_601 } });

describe('the SDK’s server', () => {
  test('is not made for a client that initializes, pings, lists and calls tools', async () => {
    const { servers, request, note, until, heard } = openSession();

    request(1, 'initialize', HELLO);
    note('notifications/initialized');
    request(2, 'ping');
    request(3, 'tools/list');
    request(4, 'tools/call', { name: 'get_greeting', arguments: { name: 'Ada' } });
    note('notifications/progress', { progressToken: 1, progress: 1 });
    await until(4);

    expect(servers()).toBe(0);
    expect(heard).toMatchObject([
      { id: 1, result: { protocolVersion: '2025-06-18', serverInfo: { name: 'test' } } },
      { id: 2, result: {} },
      { id: 3, result: { tools: [{ name: 'get_greeting' }, {}, {}] } },
      { id: 4, result: { content: [{ text: 'Hello, Ada!' }] } },
    ]);
  });

  test('is made for a message that is not plain, in the revision of the session, and released when it is idle', async () => {
    const { session, servers, request, note, until, heard } = openSession();
    request(1, 'initialize', HELLO);
    note('notifications/initialized');

    request(2, 'nonsense');
    request(3, 'tools/list', { _meta: { 'example.com/odd': true } });
    request(4, 'tools/call', { name: 'whoami', arguments: {} });
    await until(4);
    const busy = servers();
    request(5, 'nonsense');
    await until(5);

    expect([busy, servers()]).toEqual([1, 2]);
    expect(session.protocolVersion).toBe('2025-06-18');
    // The initialize that was replayed to the server has no second answer.
    expect(heard.filter((message) => (message as { id?: unknown }).id === 1)).toHaveLength(1);
    const refused = heard.filter((message) => 'error' in (message as object));
    expect(refused).toMatchObject([2, 5].map(notFound));
    const whoami = heard.find((message) => (message as { id?: unknown }).id === 4);
    expect(whoami).toMatchObject({ result: { structuredContent: { protocolVersion: '2025-06-18' } } });
  });

  test('answers requests that arrived while it was being made in their order', async () => {
    const { request, until, heard } = openSession();
    request(0, 'initialize', HELLO);

    for (const id of [1, 2, 3, 4, 5]) request(id, 'nonsense');
    await until(6);

    expect(heard.slice(1)).toMatchObject([1, 2, 3, 4, 5].map(notFound));
  });

  test('handles initialize itself when it exists already', async () => {
    const { session, request, until, heard } = openSession();
    request(1, 'nonsense');
    await until(1);

    request(2, 'initialize', { ...HELLO, protocolVersion: '2024-11-05' });
    await until(2);

    expect(heard).toMatchObject([notFound(1), { id: 2, result: { protocolVersion: '2024-11-05' } }]);
    expect(session.protocolVersion).toBe('2024-11-05');
  });

  test('is made when something that a feature registers is requested, and then stays', async () => {
    const feature: Feature = {
      name: 'raw',
      register: (server) =>
        void server.registerPrompt('raw', { description: 'Raw.' }, () => ({ messages: [] })),
    };
    const { servers, request, until, heard } = openSession({ features: [feature] });

    request(1, 'initialize', HELLO);
    request(2, 'tools/list');
    request(3, 'tools/call', { name: 'echo_message', arguments: { message: 'hi' } });
    await until(3);
    const before = servers();
    request(4, 'prompts/get', { name: 'raw' });
    await until(4);
    request(5, 'prompts/list');
    await until(5);

    expect([before, servers()]).toEqual([0, 1]);
    expect(heard.at(-2)).toMatchObject({ id: 4, result: { messages: [] } });
    expect(heard.at(-1)).toMatchObject({ id: 5, result: { prompts: [{ name: 'raw' }] } });
  });

  test('exists from initialize on with a feature that listens to every session', async () => {
    const seen: string[] = [];
    const feature: Feature = {
      name: 'listens',
      register: ({ server }) => {
        server.oninitialized = () => seen.push('initialized');
      },
    };
    const { servers, request, note, until } = openSession({ features: [feature] });

    request(1, 'initialize', HELLO);
    await until(1);
    note('notifications/initialized');
    await eventually(() => seen.length > 0);

    expect(servers()).toBe(1);
  });

  test.each([true, false])(
    'is told of a restored session whether its client has sent notifications/initialized: %s',
    async (isInitialized) => {
      const seen: string[] = [];
      const feature: Feature = {
        name: 'listens',
        register: ({ server }) => {
          server.oninitialized = () => seen.push('initialized');
        },
      };
      const handshake = { params: HELLO, isInitialized };
      const { request, until, heard } = openSession({ features: [feature], handshake });

      request(1, 'ping');
      await until(1);

      expect(heard).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
      expect(seen).toEqual(isInitialized ? ['initialized'] : []);
    },
  );
});

describe('a request', () => {
  test('is in flight until it is answered, and the id 1 is not the id "1"', async () => {
    const held = createHeldTool();
    const { session, request, until, settled } = openSession({ tools: [held.tool] });

    request(1, 'tools/call', { name: 'hold', arguments: {} });
    await held.untilWaiting(1);
    const during = [session.isWorkingOn(1), session.isWorkingOn('1'), session.callsInFlight];
    held.release();
    await until(1);

    expect(during).toEqual([true, false, 1]);
    expect([session.isWorkingOn(1), session.callsInFlight, settled()]).toEqual([false, 0, 1]);
  });

  test('that is cancelled is over at once, without an answer, and its id is free', async () => {
    const held = createHeldTool();
    const { session, request, note, until, heard, settled } = openSession({ tools: [held.tool] });
    request(1, 'tools/call', { name: 'hold', arguments: {} });
    await held.untilWaiting(1);

    note('notifications/cancelled', { requestId: 1 });
    const after = [session.isWorkingOn(1), held.aborted, settled()];
    request(1, 'tools/call', { name: 'hold', arguments: {} });
    await held.untilWaiting(1);
    held.release();
    await until(2);

    expect(after).toEqual([false, 1, 1]);
    expect(heard).toMatchObject(['no answer', { id: 1, result: { content: [{ text: 'held' }] } }]);
  });

  test("may be cancelled in the SDK's server as well", async () => {
    const held = createHeldTool();
    const { request, note, until, heard } = openSession({
      tools: [held.tool],
      features: [{ name: 'nothing' }],
    });
    request(1, 'tools/call', { name: 'hold', arguments: {} });
    await held.untilWaiting(1);

    note('notifications/cancelled', { requestId: 1 });
    request(2, 'ping');
    await until(2);

    expect(held.aborted).toBe(1);
    expect(heard).toMatchObject(['no answer', { id: 2 }]);
  });

  test('that is not in flight may be cancelled without harm', async () => {
    const { request, note, until, heard, settled } = openSession();

    note('notifications/cancelled', { requestId: 'nobody' });
    note('notifications/cancelled', {});
    request(1, 'ping');
    await until(1);

    expect(heard).toMatchObject([{ id: 1 }]);
    expect(settled()).toBe(0);
  });

  test('gets its progress before its answer', async () => {
    const count = defineTool({
      name: 'count',
      title: 'Count',
      description: 'Counts.',
      input: z.object({}),
      run: async (_input, { progress }) => {
        // The third and the last are not greater than before, which the specification forbids.
        for (const done of [1, 2, 2, NaN, 0]) await progress(done, 2);
        return 'counted';
      },
    });
    const { request, until, heard } = openSession({ tools: [count] });

    request(1, 'tools/call', { name: 'count', arguments: {}, _meta: { progressToken: 'p' } });
    await until(3);

    expect(heard).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } },
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 2 } },
      { id: 1 },
    ]);
  });
});

test('a session handles a hundred requests at once and refuses more, a call with an error for the model', async () => {
  const held = createHeldTool();
  const { session, request, until, heard } = openSession({ tools: [held.tool], maxCallsPerUser: Infinity });
  for (let id = 0; id < 100; id += 1) request(id, 'tools/call', { name: 'hold', arguments: {} });
  await held.untilWaiting(100);

  request('call', 'tools/call', { name: 'hold', arguments: {} });
  request('other', 'nonsense');
  request('ping', 'ping');
  const refused = heard.splice(0);
  held.release();
  await until(100);
  request('call', 'tools/call', { name: 'hold', arguments: {} });
  await held.untilWaiting(1);

  const words = expect.stringContaining('too_many_calls: this session has 100 requests under way.');
  expect(refused).toEqual([
    { jsonrpc: '2.0', id: 'call', result: { content: [{ type: 'text', text: words }], isError: true } },
    { jsonrpc: '2.0', id: 'other', error: { code: -32_000, message: words } },
    { jsonrpc: '2.0', id: 'ping', result: {} },
  ]);
  expect(session.callsInFlight).toBe(1);
  held.release();
});

describe('a change of the tools', () => {
  const LIST_CHANGED = 'notifications/tools/list_changed';

  test("is announced once, with or without the SDK's server, and not after the session's end", async () => {
    const { session, definition, request, until, heard } = openSession();
    request(1, 'initialize', HELLO);

    definition.changes.listChangedFor('tools', new Set(['ada']));
    request(2, 'nonsense');
    await until(3);
    definition.changes.listChangedFor('tools', new Set(['ada', 'bob']));
    await until(4);
    session.close();
    definition.changes.listChangedFor('tools', new Set(['ada']));
    definition.changes.notifier.toolsChanged();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });

    const methods = heard.map((message) => (message as { method?: string }).method);
    expect(methods).toEqual([undefined, LIST_CHANGED, undefined, LIST_CHANGED]);
  });

  test('of another user is not announced', () => {
    const { definition, heard } = openSession();

    definition.changes.listChangedFor('tools', new Set(['bob']));
    definition.changes.notifier.promptsChanged();

    expect(heard).toEqual([]);
  });
});

test('the end of a session aborts its calls in flight and reports their requests as abandoned', async () => {
  const held = createHeldTool();
  const { session, request, heard } = openSession({ tools: [held.tool] });
  request(1, 'tools/call', { name: 'hold', arguments: {} });
  request('x', 'nonsense');
  await held.untilWaiting(1);

  session.close();
  session.close();

  expect(held.aborted).toBe(1);
  expect(heard.filter((message) => typeof message === 'string')).toEqual(['abandoned 1', 'abandoned x']);
  expect(session.callsInFlight).toBe(0);
});

/** A value that JSON cannot represent. */
const ROWS = { 'x/rows': 5n };

describe('a result that cannot be written as JSON', () => {
  test.each<{ where: string; answer: ToolResult<{ rows?: unknown }> | readonly Content[] }>([
    { where: '`_meta`', answer: new ToolResult({ content: 'ok', structured: {}, _meta: ROWS }) },
    { where: 'a structure with words', answer: new ToolResult({ content: 'ok', structured: { rows: 5n } }) },
    { where: 'the `_meta` of content', answer: [{ type: 'text', text: 'ok', _meta: ROWS }] },
    {
      where: 'the `_meta` of a resource',
      answer: [{ type: 'resource', resource: { uri: 'a:b', text: 'ok', _meta: ROWS } }],
    },
  ])('in $where is an internal error, and its call is over', async ({ answer }) => {
    const output = answer instanceof ToolResult ? z.object({ rows: z.unknown().optional() }) : undefined;
    const face = { name: 'probe', title: 'Probe', description: 'Answers.', input: z.object({}) };
    const tool: Tool = { ...face, ...(output && { output }), run: () => answer };
    const { session, request, until, heard } = openSession({ tools: [tool] });

    request(1, 'tools/call', { name: 'probe' });
    await until(1);

    const text = 'Internal error (request request-1).';
    expect(heard).toMatchObject([{ id: 1, result: { isError: true, content: [{ text }] } }]);
    expect(session.callsInFlight).toBe(0);
  });

  test("is an error also when the SDK's server serves it", async () => {
    const feature: Feature = {
      name: 'rows',
      register: (server) =>
        void server.registerPrompt('rows', { description: 'Rows.' }, () => ({ messages: [], _meta: ROWS })),
    };
    const { session, request, until, heard } = openSession({ features: [feature] });

    request(1, 'prompts/get', { name: 'rows' });
    await until(1);

    expect(heard).toMatchObject([{ id: 1, error: { code: -32_603 } }]);
    expect(session.callsInFlight).toBe(0);
  });
});

test('an answer that cannot be written as JSON becomes an error', () => {
  expect(JSON.parse(spellAnswer(1, ROWS))).toMatchObject({ id: 1, error: { code: -32_603 } });
});

test("a message that the SDK's server sends reaches its request's stream, or the session's if it belongs to none", async () => {
  const { session, request, heard } = openSession();
  const message: JSONRPCMessage = { jsonrpc: '2.0', method: 'notifications/message', params: {} };
  request(1, 'nonsense');

  await session.send(message, { relatedRequestId: 1 });
  await session.send(message, { relatedRequestId: 'over' });
  await session.send(message);

  expect(heard.filter((one) => 'method' in (one as object))).toEqual([message, message, message]);
});
