/** Revision 2026-07-28 on /mcp: every POST stands alone, and its headers repeat what its body says. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import { defineTool } from '../../../src/mcp/tool.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool } from '../../support/held-tool.ts';
import {
  type Answer,
  eventually,
  openMcpSession,
  type RequestOptions,
  rpc,
  send,
  stateless,
} from '../../support/raw-http.ts';
import { openStream, type StreamReader } from '../../support/sse-reader.ts';
import { ADA, BOB, GREETER, startTestServer, type TestServer } from '../../support/start-server.ts';

const held = createHeldTool();
let announceChange = (): void => undefined;
/** The headers that the SDK received with each request for the prompt of the feature below. */
const handedOn: (Headers | undefined)[] = [];
/** Lets the tests announce changes, and notes the headers that the SDK receives. */
const changing: Feature = {
  name: 'changing',
  options: { capabilities: { tools: { listChanged: true } } },
  register: (mcpServer, { changes }) => {
    announceChange = () => changes.toolsChanged();
    mcpServer.registerPrompt('headers', {}, ({ http }) => {
      handedOn.push(http?.req?.headers);
      return { messages: [] };
    });
  },
};
/** A tool with a parameter that a header must repeat, for proxies that route by it. */
const regional = defineTool({
  name: 'regional',
  title: 'Regional',
  description: 'Says which region it was asked for.',
  input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
  run: ({ region }) => region,
});
let server: TestServer;
/** A server without features, where plain calls do not go through the SDK. */
let plainServer: TestServer;
beforeAll(async () => {
  plainServer = await startTestServer({ tools: [...fixtureTools, regional] });
  server = await startTestServer({
    env: { SSE_KEEPALIVE_SECONDS: '1' },
    tools: [...fixtureTools, held.tool],
    features: [changing],
  });
});
afterEach(() => held.release());
afterAll(async () => {
  await Promise.all([server.close(), plainServer.close()]);
});

/** Sends a request of the revision. */
const ask = (options: RequestOptions): Promise<Answer> =>
  send(`${server.url}/mcp`, { token: ADA, ...options });
/** Sends a request whose answer is a stream. */
const listen = (options: RequestOptions): Promise<StreamReader> =>
  openStream(`${server.url}/mcp`, { token: ADA, ...options });

const whoami = stateless({ method: 'tools/call', params: { name: 'whoami', arguments: {} } });
const subscription = stateless(
  { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } },
  { id: 'sub' },
);
/** A call of the held tool that asks for progress. */
const hold = (steps = 0): RequestOptions =>
  stateless({
    method: 'tools/call',
    params: { name: 'hold', arguments: { steps }, _meta: { progressToken: 'p' } },
  });
/** The request with these headers replaced; undefined removes one. */
function withHeaders(
  { headers, ...rest }: RequestOptions,
  other: Record<string, string | undefined>,
): RequestOptions {
  const entries = Object.entries({ ...headers, ...other }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { ...rest, headers: Object.fromEntries(entries) };
}

describe('a request', () => {
  test('is answered as its user, without initialize and without a session', async () => {
    const answers = await Promise.all([ADA, BOB, GREETER].map(async (token) => ask({ ...whoami, token })));

    expect(answers.map(({ body }) => body)).toMatchObject([
      { id: 1, result: { structuredContent: { userId: 'ada', protocolVersion: '2026-07-28' } } },
      { id: 1, result: { structuredContent: { userId: 'bob' } } },
      { id: 1, result: { structuredContent: { userId: 'greta', scopes: ['greet'] } } },
    ]);
    expect(answers.map(({ status, headers }) => [status, headers.get('mcp-session-id')])).toEqual([
      [200, null],
      [200, null],
      [200, null],
    ]);
    expect(answers[0]?.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('lists for each user the tools of its own scopes', async () => {
    const answer = await ask({ ...stateless({ method: 'tools/list' }), token: GREETER });

    expect(answer.text).not.toContain('echo_message');
    expect(answer.body).toMatchObject({
      result: { tools: [{ name: 'get_greeting' }, { name: 'whoami' }, { name: 'hold' }] },
    });
  });

  test('server/discover names the supported revisions', async () => {
    const answer = await ask(stateless({ method: 'server/discover' }));

    expect(answer.body).toMatchObject({
      result: { supportedVersions: expect.arrayContaining(['2026-07-28']) },
    });
  });

  test.each(['id', '', 0, -1, Number.MAX_SAFE_INTEGER])('is answered with its own id: %j', async (id) => {
    const answer = await ask(stateless({ method: 'tools/list' }, { id }));

    expect(answer.body).toMatchObject({ id, result: expect.anything() });
  });

  test('ignores a header that names a session', async () => {
    const session = await openMcpSession(server.url, BOB);

    const answers = await Promise.all(
      [session.id, 'no-such-session'].map(async (id) => ask(withHeaders(whoami, { 'Mcp-Session-Id': id }))),
    );

    expect(answers.map(({ body }) => body)).toMatchObject([
      { result: { structuredContent: { userId: 'ada' } } },
      { result: { structuredContent: { userId: 'ada' } } },
    ]);
  });

  test.each([
    ['Authorization', `Bearer ${ADA}`],
    ['X-API-Key', ADA],
    ['X-Auth-Token', ADA],
  ])('reaches the SDK without its credential: %s', async (header, value) => {
    const get = stateless({ method: 'prompts/get', params: { name: 'headers' } });

    const { status } = await send(
      `${server.url}/mcp`,
      withHeaders(get, { [header]: value, Cookie: 'a=secret', 'X-Other': 'other' }),
    );

    const headers = handedOn.at(-1);
    expect([status, headers?.get('x-other'), headers?.get('mcp-method')]).toEqual([
      200,
      'other',
      'prompts/get',
    ]);
    expect([headers?.get(header), headers?.get('cookie')]).toEqual([null, null]);
  });

  test('is 401 without a token', async () => {
    const answer = await send(`${server.url}/mcp`, whoami);

    expect(answer.status).toBe(401);
  });
});

describe('a request is refused', () => {
  test.each<[string, RequestOptions, number, number]>([
    ['without the version header', withHeaders(whoami, { 'MCP-Protocol-Version': undefined }), 400, -32_020],
    ['without the method header', withHeaders(whoami, { 'Mcp-Method': undefined }), 400, -32_020],
    ['without the name header', withHeaders(whoami, { 'Mcp-Name': undefined }), 400, -32_020],
    [
      'with another version header',
      withHeaders(whoami, { 'MCP-Protocol-Version': '2025-11-25' }),
      400,
      -32_020,
    ],
    ['with another method header', withHeaders(whoami, { 'Mcp-Method': 'tools/list' }), 400, -32_020],
    ['with another name header', withHeaders(whoami, { 'Mcp-Name': 'echo_message' }), 400, -32_020],
    ['without _meta', { ...whoami, body: rpc(1, 'tools/call', { name: 'whoami' }) }, 400, -32_602],
    ['with _meta of a wrong type', { ...whoami, body: rpc(1, 'tools/call', { _meta: 1 }) }, 400, -32_600],
    ['of an unknown method', stateless({ method: 'no/such' }), 404, -32_601],
    ['of a method that the revision lacks', stateless({ method: 'initialize' }), 404, -32_601],
    ['of a list with a cursor', stateless({ method: 'tools/list', params: { cursor: 'x' } }), 200, -32_602],
    ['of an unknown tool', stateless({ method: 'tools/call', params: { name: 'none' } }), 200, -32_602],
    [
      'of the tool __proto__',
      stateless({ method: 'tools/call', params: { name: '__proto__' } }),
      200,
      -32_602,
    ],
    [
      'of an unknown revision',
      {
        headers: { ...whoami.headers, 'MCP-Protocol-Version': '2027-01-01' },
        body: JSON.stringify(whoami.body).replace('2026-07-28', '2027-01-01'),
      },
      400,
      -32_022,
    ],
    ['in a batch', { ...whoami, body: [whoami.body] }, 400, -32_600],
  ])('%s', async (_how, options, status, code) => {
    for (const { url } of [server, plainServer]) {
      const answer = await send(`${url}/mcp`, { token: ADA, ...options });

      expect([answer.status, answer.body]).toEqual([
        status,
        expect.objectContaining({ jsonrpc: '2.0', error: expect.objectContaining({ code }) }),
      ]);
    }
  });
});

test('a call without the header that must repeat a parameter, or with another value in it, is 400', async () => {
  const params = { name: 'regional', arguments: { region: 'north' } };
  const call = stateless({ method: 'tools/call', params }, { token: ADA });

  const answers = await Promise.all(
    [undefined, 'south', 'north'].map((region) =>
      send(`${plainServer.url}/mcp`, withHeaders(call, { 'Mcp-Param-Region': region })),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 200]);
  expect(answers[0]?.body).toMatchObject({ error: { code: -32_020 } });
});

test('a notification is accepted', async () => {
  const method = 'notifications/no/such';

  const answer = await ask({
    headers: { ...whoami.headers, 'Mcp-Method': method },
    body: { jsonrpc: '2.0', method },
  });

  expect([answer.status, answer.text]).toEqual([202, '']);
});

describe('a call', () => {
  test('becomes a stream when progress comes before its answer', async () => {
    const stream = await listen(hold(2));
    await stream.waitFor(({ data = '' }) => data.includes('step 2'));

    held.release();
    const answer = await stream.answerTo(1);

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
    expect(await stream.over()).toBe('ended');
  });

  test('becomes a stream with heartbeats when it takes longer than their interval', async () => {
    const stream = await listen(hold());
    await stream.waitFor(({ comment }) => comment === 'keepalive', 4_000);

    held.release();
    const answer = await stream.answerTo(1);

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
    expect(await stream.over()).toBe('ended');
  });

  test.each([
    { way: 'past the SDK', more: {} },
    // A name that the protocol reserves: its meaning is left to the SDK.
    { way: 'through the SDK', more: { 'io.modelcontextprotocol/unheard-of': true } },
  ])('is aborted without an error in the log when its client disconnects, $way', async ({ more }) => {
    const abortedBefore = held.aborted;
    const abort = new AbortController();
    const { headers, body } = stateless({
      method: 'tools/call',
      params: { name: 'hold', arguments: {}, _meta: { progressToken: 'p', ...more } },
    });
    const pending = fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADA}`, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    await held.untilWaiting(1);

    abort.abort();

    await expect(pending).rejects.toThrow(/abort/i);
    await eventually(() => held.aborted === abortedBefore + 1);
    expect(server.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

describe('a subscription', () => {
  test('is acknowledged, and gets heartbeats and change notifications until its client leaves', async () => {
    const stream = await listen(subscription);
    await stream.waitFor(({ data = '' }) => data.includes('acknowledged'));

    announceChange();
    await stream.waitFor(({ data = '' }) => data.includes('notifications/tools/list_changed'));
    await stream.waitFor(({ comment }) => comment !== undefined, 2_500);
    stream.close();

    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.messages()).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged' },
      { method: 'notifications/tools/list_changed' },
    ]);
  });

  test('without a filter is refused', async () => {
    const answer = await ask(stateless({ method: 'subscriptions/listen', params: {} }));

    expect(answer.body).toMatchObject({ error: { code: -32_602 } });
  });
});

test('GET and DELETE are refused: only POST is stateless', async () => {
  const headers = { 'MCP-Protocol-Version': '2026-07-28', Accept: 'text/event-stream' };

  const answers = await Promise.all([ask({ headers }), ask({ headers, method: 'DELETE' })]);

  expect(answers.map(({ status }) => status)).toEqual([405, 400]);
});
