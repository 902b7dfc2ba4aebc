/** The fast lane answers exactly as the SDK does: the same requests go to both, and the answers must be equal. */
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { z } from 'zod';
import type { Feature } from '../../src/mcp/feature.ts';
import { definePrompt } from '../../src/mcp/prompt.ts';
import { defineResource } from '../../src/mcp/resource.ts';
import { createUserContext } from '../../src/auth/user.ts';
import { createFastLane } from '../../src/mcp/fast-lane.ts';
import { KnownAnswers } from '../../src/mcp/known-answers.ts';
import { LaneCall } from '../../src/mcp/lane.ts';
import { isRequest } from '../../src/mcp/messages.ts';
import { readPlainCall, readPlainQuestion } from '../../src/mcp/plain-call.ts';
import { anyCharacter } from '../support/any-character.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { createDefinition } from '../support/in-memory-mcp.ts';
import { defineTool, type Tool, ToolError, ToolResult } from '../../src/mcp/tool.ts';
import { readRecordedClients } from '../../lab/fixture/recorded-clients.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import {
  type Answer,
  initialize,
  openMcpSession,
  type RawSession,
  send,
  stateless,
} from '../support/raw-http.ts';
import { openSse, openStream, type SseSession } from '../support/sse-reader.ts';
import { ADA, GREETER, startTestServer, type TestServer } from '../support/start-server.ts';
import { amountOf } from '../support/reduced.mjs';

/** Tools of every kind: by their input, by their answer and by how they end. */
// Thousands of messages: how long that takes is the machine's business.
jest.setTimeout(180_000);

/** How often each property is tried, in round numbers: with other cases each time, and with more of them where CI has the time. Some are tried less. */
const RUNS = amountOf('comparedTalks');

const kinds: readonly Tool[] = [
  defineTool({
    name: 'add',
    title: 'Add',
    description: 'Adds.',
    input: z.object({
      a: z.number(),
      b: z.number().optional(),
      mode: z.enum(['sum', 'difference']).default('sum'),
    }),
    output: z.object({ total: z.number(), note: z.string().nullable() }),
    run: async ({ a, b = 0, mode }) => Promise.resolve({ total: mode === 'sum' ? a + b : a - b, note: null }),
  }),
  defineTool({
    name: 'picture',
    title: 'Picture',
    description: 'Shows.',
    input: z.object({}),
    run: () => [
      { type: 'text', text: 'a dot' },
      { type: 'image', mimeType: 'image/png', data: 'AAAA' },
    ],
  }),
  defineTool({
    name: 'count',
    title: 'Count',
    description: 'Reports its progress.',
    input: z.object({ to: z.number().int().max(3) }),
    run: async ({ to }, { progress }) => {
      for (let step = 1; step <= to; step += 1) await progress(step, to, `step ${step}`);
      return `counted to ${to}`;
    },
  }),
  defineTool({
    name: 'refuse',
    title: 'Refuse',
    description: 'Always fails.',
    input: z.object({ why: z.string().optional() }),
    run: ({ why }) => {
      throw new ToolError(why ?? 'No.');
    },
  }),
  defineTool({
    name: 'everything',
    title: 'Everything',
    description: 'Answers with everything that the protocol knows.',
    input: z.object({}),
    icons: [{ src: 'https://example.com/a.png', sizes: ['48x48'], mimeType: 'image/png' }],
    _meta: { ui: { resourceUri: 'ui://a' } },
    run: () =>
      new ToolResult({
        content: [
          { type: 'text', annotations: { priority: 0.5, audience: ['user'] }, text: 'see' },
          { _meta: { a: 1 }, type: 'resource_link', uri: 'test://a', name: 'a', size: 3, title: 'A' },
          { type: 'resource', resource: { text: 'a', uri: 'test://a', mimeType: 'text/plain' } },
          { type: 'resource', resource: { uri: 'test://b', blob: 'AAAA', _meta: { b: 2 } } },
        ],
        _meta: { 'example.com/a': [1] },
      }),
  }),
  defineTool({
    name: 'both',
    title: 'Both',
    description: 'Answers for people and for programs.',
    input: z.object({}),
    output: z.object({ sum: z.number() }),
    run: () => new ToolResult({ structured: { sum: 3 }, content: 'It is three.' }),
  }),
  defineTool({
    name: 'limited',
    title: 'Limited',
    description: 'Takes its turn and its time.',
    input: z.object({ a: z.number().optional() }),
    timeoutMs: 600_000,
    concurrency: 2,
    run: async ({ a }) => Promise.resolve(String(a)),
  }),
  defineTool({
    name: 'ask',
    title: 'Ask',
    description: 'Asks its user, whom these clients cannot ask.',
    input: z.object({}),
    elicits: true,
    run: async (_input, { elicit }) => (await elicit({ message: 'Well?', form: z.object({}) })).action,
  }),
  defineTool({
    name: 'break',
    title: 'Break',
    description: 'Has a bug.',
    input: z.object({}),
    run: () => {
      throw new Error('a bug');
    },
  }),
];

/** With a feature that keeps state in each session, the SDK serves everything. */
const NO_LANE: Feature = { name: 'nothing', keepsSessionState: true };

/** The SDK serves what a feature registers on it, and the fast lane serves the rest. */
const RAW: Feature = {
  name: 'raw',
  options: { capabilities: { logging: {} } },
  register(server, { callerOf }) {
    server.registerPrompt('raw', { description: 'Raw.' }, (context) => ({
      messages: [{ role: 'user', content: { type: 'text', text: callerOf(context).user.userId } }],
    }));
    server.registerTool('raw', { description: 'Raw.', inputSchema: z.object({}) }, (_input, context) => ({
      content: [{ type: 'text', text: callerOf(context).user.userId }],
    }));
    server.registerResource('raw', 'raw://a', { description: 'Raw.' }, ({ href }) => ({
      contents: [{ uri: href, text: 'raw' }],
    }));
  },
};

/** The fast lane serves what a feature declares, as far as it can. */
const DECLARED: Feature = {
  name: 'declared',
  prompts: [
    definePrompt({
      name: 'drill',
      title: 'Drill',
      description: 'Asks questions.',
      args: z.object({ topic: z.string().describe('What about.') }),
      scope: 'drill',
      complete: { topic: (typed) => [`${typed}!`] },
      run: ({ topic }, { user }) => `${user.name}: ${topic}`,
    }),
  ],
  resources: [
    defineResource({
      name: 'about',
      title: 'About',
      description: 'About us.',
      uri: 'test://about',
      icons: [{ src: 'https://example.com/a.png', sizes: ['any'] }],
      read: () => 'us',
    }),
    defineResource({
      name: 'lesson',
      title: 'Lesson',
      description: 'A lesson.',
      uri: 'test://lesson/{id}',
      params: z.object({ id: z.string() }),
      scope: 'drill',
      read: ({ id }) => (id === 'a' ? id : undefined),
    }),
  ],
};

/** How many servers of the SDK have been made with this feature. */
let made = 0;
const COUNTING: Feature = { name: 'counting', register: () => void (made += 1) };

let fast: TestServer;
let slow: TestServer;
let counted: TestServer;
let rawFast: TestServer;
let rawSlow: TestServer;
beforeAll(async () => {
  const tools = [...fixtureTools, ...kinds];
  fast = await startTestServer({ tools, features: [DECLARED] });
  slow = await startTestServer({ tools, features: [DECLARED, NO_LANE] });
  counted = await startTestServer({ tools, features: [DECLARED, COUNTING] });
  // The server from which the fast lane learns its answers is made with the first message.
  await openMcpSession(counted.url, ADA);
  rawFast = await startTestServer({ tools, features: [DECLARED, RAW] });
  rawSlow = await startTestServer({ tools, features: [DECLARED, RAW, NO_LANE] });
});
afterAll(async () => {
  await Promise.all([fast, slow, counted, rawFast, rawSlow].map(async (server) => server.close()));
});

const jsonObject = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const name = fc.constantFrom(
  ...fixtureTools.map((tool) => tool.name),
  ...kinds.map((tool) => tool.name),
  'nope',
  '',
  '__proto__',
);
const input = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      undefined,
      {},
      { a: 1 },
      { a: 1, b: null },
      { a: 2, b: 3, mode: 'difference' },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      { message: 'hi' },
      { name: 'Zoë' },
      { name: null },
      { to: 2 },
      { to: 9 },
      { why: 'so' },
    ),
  },
  { weight: 2, arbitrary: fc.record({ message: fc.string({ unit: anyCharacter }) }) },
  { weight: 2, arbitrary: jsonObject },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, [], 'text', 5) },
);
const meta = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      {},
      { progressToken: 7 },
      { progressToken: 'p' },
      { progressToken: 1.5 },
      { progressToken: null },
      { other: 1 },
      { 'claudecode/toolUseId': 'toolu_01', progressToken: 2 },
      { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' },
      { 'io.modelcontextprotocol/related-task': { taskId: 'a' } },
      { 'io.modelcontextprotocol/related-task': 5 },
      { 'io.modelcontextprotocol/else': 5 },
      null,
      5,
    ),
  },
);
const surplus = fc.oneof(
  { weight: 9, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom({ task: {} }, { extra: 1 }) },
);
const params = fc.record({ name, input, meta, surplus }).map((parts) => {
  const call: Record<string, unknown> = { name: parts.name };
  if (parts.input !== undefined) call['arguments'] = parts.input;
  if (parts.meta !== undefined) call['_meta'] = parts.meta;
  return Object.assign(call, parts.surplus);
});

/** The params of `initialize`. */
const HELLO = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };

/** The parts of an answer that must not depend on the server: internal errors name their request. */
function essence({ status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>) {
  return { status, type: headers.get('content-type'), text: withoutRequestId(text) };
}

/** A text without the id of a request, and without event ids, which depend on their session. */
function withoutRequestId(text: string): string {
  return text.replaceAll(/\(request [0-9a-f-]{36}\)/g, '(request …)').replaceAll(/^id: \S+$/gm, 'id: …');
}

/** The ids continue from run to run: a session never gets one twice. */
let lastId = 0;

/** Sends both servers thousands of generated calls, twenty at a time; returns how many answers were compared. */
async function compareWays<Got>(
  ask: (server: TestServer, call: object, id: string | number) => Promise<Got>,
): Promise<number> {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(params, { minLength: 20, maxLength: 20 }), async (calls) => {
      const ids = calls.map((_call, index) => (index % 2 === 0 ? (lastId += 1) : `id ${(lastId += 1)}`));
      const askAll = async (server: TestServer): Promise<Got[]> =>
        Promise.all(calls.map(async (call, index) => ask(server, call, ids[index] ?? 0)));

      const [quick, thorough] = await Promise.all([askAll(fast), askAll(slow)]);

      expect(quick).toEqual(thorough);
      compared += quick.length;
    }),
    { numRuns: RUNS / 3 },
  );
  return compared;
}

describe.each([
  ['a user with every scope', ADA, test],
  ['a user without some scopes', GREETER, testInCi],
] as const)('calls of %s get the same answers from the fast lane and the SDK', (_user, token, testIt) => {
  test('in a Streamable HTTP session, byte for byte', async () => {
    const sessions = new Map<TestServer, RawSession>();
    for (const server of [fast, slow]) sessions.set(server, await openMcpSession(server.url, token));

    const compared = await compareWays(async (server, call, id) => {
      const answer = await sessions
        .get(server)
        ?.post({ jsonrpc: '2.0', id, method: 'tools/call', params: call });
      return answer && essence(answer);
    });

    expect(compared).toBeGreaterThanOrEqual(20 * (RUNS / 3));
  });

  testIt('over HTTP+SSE, byte for byte', async () => {
    const sessions = new Map<TestServer, SseSession>();
    for (const server of [fast, slow]) sessions.set(server, await openSse(server.url, token));

    const compared = await compareWays(async (server, call, id) => {
      const session = sessions.get(server);
      const accepted = await session?.post({ jsonrpc: '2.0', id, method: 'tools/call', params: call });
      if (accepted?.status !== 202) return accepted && essence(accepted);
      // The position of the id depends on whether the answer is an error; progress has no id.
      const written = `"id":${JSON.stringify(id)}`;
      const frame = await session?.waitFor(
        ({ data = '' }) => data.includes(`${written},"error"`) || data.endsWith(`${written}}`),
      );
      return withoutRequestId(frame?.data ?? '');
    });

    expect(compared).toBeGreaterThanOrEqual(20 * (RUNS / 3));

    for (const session of sessions.values()) session.close();
  });

  testIt('as stateless calls, byte for byte, with status and content type', async () => {
    const compared = await compareWays(async (server, call, id) => {
      const request = stateless(
        { method: 'tools/call', params: call as Record<string, unknown> },
        { id, token },
      );
      return essence(await send(`${server.url}/mcp`, request));
    });

    expect(compared).toBeGreaterThanOrEqual(20 * (RUNS / 3));
  });
});

/** Values of the fields of an envelope, valid and invalid. */
const KEY = 'io.modelcontextprotocol/';
const clientInfo = fc.constantFrom<unknown>(
  { name: 'a', version: '1' },
  { name: 'a', version: '1', title: 'A', description: 'An a.', websiteUrl: 'https://example.com', other: 1 },
  { name: 'a', version: '1', icons: [{ src: 'https://example.com/a.png', sizes: ['any'] }] },
  { name: 'a', version: '1', icons: [{ src: 5 }] },
  { name: 'a', version: 1 },
  { name: 'a', version: '1', title: null },
  { name: 'a' },
  {},
  null,
);
const capability = fc.constantFrom<unknown>(
  {},
  { form: {} },
  { form: { applyDefaults: true }, url: {} },
  { form: { applyDefaults: 1 } },
  { url: 5 },
  { listChanged: true },
  { listChanged: 'yes' },
  { context: {}, tools: {} },
  { tools: [] },
  { a: {} },
  { a: { b: { c: [1] } } },
  { a: 5 },
  { a: null },
  [],
  null,
  true,
);
const capabilities = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(
      fc.constantFrom('elicitation', 'sampling', 'roots', 'experimental', 'extensions', 'tasks', 'other'),
      capability,
      { maxKeys: 2 },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>([], null, 'all') },
);
const envelope = fc.record(
  {
    [`${KEY}clientInfo`]: clientInfo,
    [`${KEY}clientCapabilities`]: capabilities,
    [`${KEY}logLevel`]: fc.constantFrom<unknown>('debug', 'emergency', 'loud', null),
    [`${KEY}protocolVersion`]: fc.constantFrom<unknown>('2026-07-28', '2026-07-28', '2025-11-25', 5),
    [`${KEY}related-task`]: fc.constantFrom<unknown>({ taskId: 'a' }, 5),
    progressToken: fc.constantFrom<unknown>(1, 'p', null),
    traceparent: fc.constantFrom<unknown>('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 5),
  },
  { requiredKeys: [] },
);
const question = fc.constantFrom(
  { method: 'server/discover', params: {} },
  { method: 'tools/list', params: {} },
  { method: 'tools/list', params: { cursor: 'next' } },
  { method: 'prompts/list', params: {} },
  { method: 'resources/list', params: {} },
  { method: 'resources/templates/list', params: {} },
  { method: 'ping', params: {} },
  { method: 'tools/call', params: { name: 'count', arguments: { to: 2 } } },
  { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'hi' } } },
  { method: 'tools/call', params: { name: 'nobody' } },
  { method: 'tools/call', params: { name: 'ask' } },
);

test('stateless requests get the same answers from the fast lane and the SDK, whatever they say about their client', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(question, envelope, fc.constantFrom(ADA, GREETER)), { minLength: 10, maxLength: 10 }),
      async (asked) => {
        const askAll = async ({ url }: TestServer): Promise<unknown[]> =>
          Promise.all(
            asked.map(async ([{ method, params: own }, said, token], index) => {
              const { body, ...rest } = stateless(
                { method, params: { ...own, _meta: said } },
                { id: index % 2 === 0 ? index : `id ${index}`, token },
              );
              return essence(await send(`${url}/mcp`, { ...rest, body }));
            }),
          );

        const [quick, thorough] = await Promise.all([askAll(fast), askAll(slow)]);

        expect(quick).toEqual(thorough);
      },
    ),
    { numRuns: RUNS },
  );
});

/** What a client of the revisions with sessions may send, plain and unusual. */
const message = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<object>(
      { method: 'ping' },
      { method: 'ping', params: {} },
      { method: 'ping', params: { _meta: { progressToken: 1 } } },
      { method: 'ping', params: { extra: 1 } },
      { method: 'tools/list' },
      { method: 'tools/list', params: {} },
      { method: 'tools/list', params: { _meta: { progressToken: 'x' } } },
      { method: 'tools/list', params: { cursor: 'next' } },
      { method: 'tools/list', params: { cursor: 5 } },
      { method: 'tools/list', params: { _meta: { other: 1 } } },
    ),
  },
  { weight: 2, arbitrary: params.map((call) => ({ method: 'tools/call', params: call })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<object>(
      { method: 'initialize', params: HELLO },
      { method: 'initialize', params: { ...HELLO, protocolVersion: '2024-11-05' } },
      { method: 'initialize', params: { ...HELLO, protocolVersion: 'tomorrow', _meta: { a: 1 } } },
      { method: 'initialize', params: { protocolVersion: 5 } },
      { method: 'initialize' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<object>(
      { method: 'prompts/list' },
      { method: 'resources/list', params: {} },
      { method: 'resources/templates/list' },
      { method: 'prompts/list', params: { cursor: 'next' } },
      { method: 'prompts/get', params: { name: 'drill', arguments: { topic: 'ink' } } },
      { method: 'resources/read', params: { uri: 'test://lesson/a' } },
      { method: 'resources/read', params: { uri: 'test://a' } },
      {
        method: 'completion/complete',
        params: { ref: { type: 'ref/prompt', name: 'drill' }, argument: { name: 'topic', value: 'x' } },
      },
      { method: 'logging/setLevel', params: { level: 'info' } },
      { method: 'server/discover' },
      { method: 'no/such/method' },
      { method: 'tools/call', params: null },
    ),
  },
);

/** A message that requires no answer. */
const aside = fc.constantFrom<object>(
  { method: 'notifications/initialized' },
  { method: 'notifications/cancelled', params: { requestId: 'nobody' } },
  { method: 'notifications/progress', params: { progressToken: 'x', progress: 1 } },
  { method: 'notifications/roots/list_changed' },
  { method: 'notifications/unknown', params: { a: 1 } },
  { id: 99, result: {} },
  { id: 'x', error: { code: 1, message: 'no' } },
);

/** Messages that a client sends one after the other; whether the SDK's server is awake must make no difference. */
const conversation = fc.array(fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: aside }), {
  minLength: 1,
  maxLength: 10,
});

/** A message, with an id of its own if it is a request. */
function withId(sent: object, index: number): object {
  const wantsAnswer = 'method' in sent && !String(sent.method).startsWith('notifications/');
  return { jsonrpc: '2.0', ...(wantsAnswer && { id: index % 2 === 0 ? index : `id ${index}` }), ...sent };
}

describe('whole conversations, whichever messages wake the SDK', () => {
  test('get the same answers from the fast lane and the SDK over Streamable HTTP, byte for byte', async () => {
    const revisions = fc.constantFrom('2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', 'tomorrow');
    await fc.assert(
      fc.asyncProperty(revisions, conversation, async (revision, messages) => {
        const hold = async ({ url }: TestServer): Promise<unknown[]> => {
          const opened = await send(`${url}/mcp`, { token: ADA, body: initialize(revision, 'hello') });
          const sessionId = opened.headers.get('mcp-session-id') ?? '';
          const answers: unknown[] = [essence(opened)];
          for (const [index, sent] of messages.entries()) {
            const headers = { 'Mcp-Session-Id': sessionId };
            const body = withId(sent, index);
            answers.push(essence(await send(`${url}/mcp`, { token: ADA, headers, body })));
          }
          await send(`${url}/mcp`, {
            method: 'DELETE',
            token: ADA,
            headers: { 'Mcp-Session-Id': sessionId },
          });
          return answers;
        };

        const [quick, thorough] = await Promise.all([hold(fast), hold(slow)]);

        expect(quick).toEqual(thorough);
      }),
      { numRuns: RUNS },
    );
  });

  test('get the same answers from the fast lane and the SDK over HTTP+SSE, byte for byte, with or without initialize', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (messages) => {
        const hold = async (server: TestServer): Promise<unknown[]> => {
          const session = await openSse(server.url, ADA);
          const answers: unknown[] = [];
          for (const [index, sent] of messages.entries()) {
            const posted = withId(sent, index);
            const accepted = await session.post(posted);
            answers.push(essence(accepted));
            // Each answer has arrived before the next message is sent: otherwise their order would be undefined.
            const wantsAnswer = 'id' in posted && 'method' in posted;
            if (wantsAnswer && accepted.status === 202) await session.answerTo(posted.id as string | number);
          }
          await session.post({ jsonrpc: '2.0', id: 'last', method: 'ping' });
          await session.answerTo('last');
          session.close();
          return [...answers, ...session.frames.slice(1).map(({ data = '' }) => withoutRequestId(data))];
        };

        const [quick, thorough] = await Promise.all([hold(fast), hold(slow)]);

        expect(quick).toEqual(thorough);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Whether a message opens a subscription, which the SDK serves. */
function isSubscription(sent: JSONRPCMessage): boolean {
  return 'method' in sent && sent.method === 'subscriptions/listen';
}

const recorded = readRecordedClients().map((client) => [client.name, client] as const);

describe.each(recorded)('%s', (_name, client) => {
  const { messages, isStateless } = client;
  const questions = messages.filter((sent) => readPlainQuestion(sent) !== undefined);
  const subscriptions = messages.filter(isSubscription);

  /** Sends all messages, twice. */
  const hold = async ({ url }: TestServer): Promise<unknown[]> => {
    let session: Record<string, string> = {};
    const answers: unknown[] = [];
    for (const sent of [...messages, ...messages]) {
      const { method, params: { _meta: said, name: tool } = {} } = sent as JSONRPCRequest;
      const standsAlone = said?.['io.modelcontextprotocol/protocolVersion'] !== undefined;
      const headers: Record<string, string> = standsAlone
        ? { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method }
        : method === 'initialize'
          ? {}
          : session;
      if (standsAlone && typeof tool === 'string') headers['Mcp-Name'] = tool;
      if (isSubscription(sent)) {
        const stream = await openStream(`${url}/mcp`, { token: ADA, headers, body: sent });
        const { data } = await stream.waitFor((frame) => frame.data !== undefined);
        answers.push({ status: stream.status, text: data });
        stream.close();
        continue;
      }
      const answer = await send(`${url}/mcp`, { token: ADA, headers, body: sent });
      if (method === 'initialize') session = { 'Mcp-Session-Id': answer.headers.get('mcp-session-id') ?? '' };
      answers.push(essence(answer));
    }
    return answers;
  };

  test('gets the same answers from the fast lane and the SDK, byte for byte, the second time too', async () => {
    const [quick, thorough] = await Promise.all([hold(fast), hold(slow)]);

    expect(quick).toEqual(thorough);
    expect(quick.map((answer) => (answer as Answer).status)).not.toContain(400);
  });

  test('wakes the SDK only for the first of equal stateless questions, and briefly for each subscription', async () => {
    const before = made;
    const first = await hold(counted);
    const between = made;
    await hold(counted);

    // Everything has been sent twice, and for a subscription the SDK is asked what can be subscribed to.
    expect(questions.length > 0).toBe(isStateless);
    expect(between - before).toBeLessThanOrEqual(questions.length + 2 * subscriptions.length);
    expect(made - between).toBe(2 * subscriptions.length);
    expect(first).toHaveLength(2 * messages.length);
  });

  test('sends nothing that needs the SDK, except stateless questions and subscriptions', () => {
    const { definition } = createDefinition({ tools: fixtureTools, shortWay: createFastLane });
    const lane = definition.findLane();
    const user = createUserContext({ userId: 'ada', name: 'Ada' });
    const caller = { user, grant: { user }, transport: 'streamable-http', requestId: 'r' } as const;
    const origin = new LaneCall();

    const needing = messages.filter((sent) => {
      if (!isRequest(sent) || sent.method === 'initialize' || isSubscription(sent)) return false;
      const call = readPlainCall(sent);
      if (call === undefined)
        return readPlainQuestion(sent) === undefined && lane?.answerAtOnce(sent, caller) === undefined;
      const frame = { caller, protocolVersion: '', origin };
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': call.name,
      };
      const result = call.isStateless ? lane?.runStateless(call, headers, frame) : lane?.run(call, frame);
      return result === undefined && lane?.refuse(call, caller, frame) === undefined;
    });

    expect(needing).toEqual([]);
  });
});

test.each(recorded.filter(([, { isStateless }]) => !isStateless))(
  '%s does not wake the SDK over HTTP+SSE',
  async (_name, { messages }) => {
    const before = made;
    const session = await openSse(counted.url, ADA);
    for (const sent of messages) {
      expect(await session.post(sent)).toMatchObject({ status: 202 });
      if (isRequest(sent)) await session.answerTo(sent.id);
    }
    session.close();

    expect(made).toBe(before);
  },
);

test('an unknown method wakes the SDK, which is counted', async () => {
  const before = made;
  const session = await openMcpSession(counted.url, ADA);

  await session.post({ jsonrpc: '2.0', id: 1, method: 'nonsense' });

  expect(made).toBe(before + 1);
});

test('the answer to a stateless question is kept for users with the same effective scopes; an error is not kept', async () => {
  const ask = stateless({ method: 'tools/list' }, { id: 'a' }).body;
  const { definition } = createDefinition({ tools: fixtureTools, shortWay: createFastLane });
  const lane = definition.findLane();
  const heading = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
  const all = createUserContext({ userId: 'ada', name: 'Ada' });
  const some = createUserContext({ userId: 'greta', name: 'Greta', scopes: ['greet'] });
  const others = createUserContext({ userId: 'bob', name: 'Bob', scopes: ['greet', 'foreign'] });
  const plain = readPlainQuestion(ask);
  if (plain === undefined || lane === undefined) throw new Error('The question is plain.');
  const head = { status: 200, headers: [] };

  lane.learn(plain, some, { text: '{"result":{},"jsonrpc":"2.0","id":"a"}', head });
  lane.learn(plain, all, { text: '{"jsonrpc":"2.0","id":"a","error":{"code":-32603}}', head });

  expect(lane.recall({ ...plain, id: 7 }, heading, others)?.text).toBe(
    '{"result":{},"jsonrpc":"2.0","id":7}',
  );
  expect(lane.recall(plain, heading, all)).toBeUndefined();
  expect(lane.recall(plain, { ...heading, 'mcp-method': 'ping' }, some)).toBeUndefined();
});

test('the answers to a hundred questions are kept; one more question discards them all', () => {
  const known = new KnownAnswers<string>(createDefinition({ tools: fixtureTools }).definition);
  const user = createUserContext({ userId: 'ada', name: 'Ada' });

  for (let count = 1; count <= 100; count += 1) known.keep(`question ${count}`, user, 'answer');
  const before = known.find('question 1', user);
  known.keep('one more', user, 'answer');

  expect(before).toBe('answer');
  expect([known.find('question 1', user), known.find('one more', user)]).toEqual([undefined, 'answer']);
});

test('progress precedes the answer, in the same form as from the SDK', async () => {
  const call = {
    jsonrpc: '2.0',
    id: 'p',
    method: 'tools/call',
    params: { name: 'count', arguments: { to: 3 }, _meta: { progressToken: 't' } },
  };

  const answers = await Promise.all(
    [fast, slow].map(async ({ url }) => (await openMcpSession(url, ADA)).post(call)),
  );

  expect(answers[0]?.text).toContain('"progress":3');
  expect(answers[0]?.headers.get('content-type')).toContain('text/event-stream');
  // Each stream has an id of its own.
  const [one, other] = answers.map(({ text }) => text.replaceAll(/^id: p\.[\w-]{16}\./gm, 'id: p.STREAM.'));
  expect(one).toBe(other);
});

test('a call that is not plain is left to the SDK', () => {
  const plain = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a', arguments: {} } };

  const odd = [
    { ...plain, id: null },
    { ...plain, id: 1.5 },
    { ...plain, extra: 1 },
    { ...plain, method: 'tools/list' },
    { ...plain, params: [] },
    { ...plain, params: { name: 1 } },
    { ...plain, params: { name: 'a', arguments: [] } },
    { ...plain, params: { name: 'a', task: {} } },
    { ...plain, params: { name: 'a', _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } },
    { ...plain, params: { name: 'a', _meta: { 'io.modelcontextprotocol/related-task': { taskId: 'a' } } } },
  ];

  expect(readPlainCall(plain)).toEqual({
    id: 1,
    name: 'a',
    input: {},
    progressToken: undefined,
    isStateless: false,
  });
  expect(odd.map(readPlainCall)).toEqual(odd.map(() => undefined));
});

/** What is sent to a server on which a feature has registered something itself. */
const askedOfRaw = fc.constantFrom<{
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}>(
  { method: 'ping' },
  { method: 'tools/list' },
  { method: 'prompts/list' },
  { method: 'resources/list' },
  { method: 'resources/templates/list' },
  { method: 'tools/call', params: { name: 'echo_message', arguments: { message: 'hi' } } },
  { method: 'tools/call', params: { name: 'add', arguments: { a: 1 } } },
  { method: 'tools/call', params: { name: 'raw', arguments: {} } },
  { method: 'tools/call', params: { name: 'nobody', arguments: {} } },
  { method: 'prompts/get', params: { name: 'raw' } },
  { method: 'prompts/get', params: { name: 'drill', arguments: { topic: 'a' } } },
  { method: 'resources/read', params: { uri: 'raw://a' } },
  { method: 'resources/read', params: { uri: 'test://about' } },
  { method: 'logging/setLevel', params: { level: 'error' } },
  { method: 'nonsense' },
);

testEach([
  ['a user without some scopes', GREETER],
  ['a user with every scope', ADA],
] as const)(
  'beside what a feature registers on the SDK, the fast lane answers as the SDK, for %s',
  async (_user, token) => {
    const opened = await Promise.all([rawFast, rawSlow].map(async ({ url }) => openMcpSession(url, token)));
    const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO };
    const [quickHello, thoroughHello] = await Promise.all(
      [rawFast, rawSlow].map(async ({ url }) => (await send(`${url}/mcp`, { token, body: hello })).text),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(askedOfRaw, { minLength: 1, maxLength: 15 }), async (asked) => {
        for (const one of asked) {
          lastId += 1;
          const [quick, thorough] = await Promise.all(
            opened.map(async (session) =>
              essence(await session.post({ jsonrpc: '2.0', id: lastId, ...one })),
            ),
          );
          const [quickAlone, thoroughAlone] = await Promise.all(
            [rawFast, rawSlow].map(async ({ url }) =>
              essence(await send(`${url}/mcp`, stateless(one, { id: lastId, token }))),
            ),
          );

          expect(quick).toEqual(thorough);
          expect(quickAlone).toEqual(thoroughAlone);
        }
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );

    expect(quickHello).toBe(thoroughHello);
  },
);
