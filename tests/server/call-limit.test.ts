/** CALLS_PER_MINUTE on every transport: an error for the model, and a 429 for programs that keep calling. */
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Feature } from '../../src/mcp/feature.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { confirm } from '../support/confirm-tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { connectKind, KINDS } from '../support/kinds.ts';
import { callTool, openMcpSession, send, stateless } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/start-server.ts';

/** Half of it is admitted at once: three calls. */
const LIMIT = 6;

const dear = defineTool({
  name: 'dear',
  title: 'Dear',
  description: 'Costs as much as three.',
  input: z.object({}),
  cost: 3,
  run: () => 'done',
});

/** Registers a tool on the SDK's server. */
const byHand: Feature = {
  name: 'by-hand',
  register(server) {
    server.registerTool('by_hand', { inputSchema: z.object({}) }, async () => ({
      content: [{ type: 'text', text: 'by hand' }],
    }));
  },
};

let server: TestServer;
let users = 0;
let token = '';
const tokens: Record<string, Record<string, unknown>> = {};
for (let user = 0; user < 30; user += 1) tokens[tokenOf(user)] = { userId: `user-${user}` };
tokens['tok_quick_0123456789'] = { userId: 'quick', limit: 20 };

beforeAll(async () => {
  server = await startTestServer({
    tokens,
    tools: [...fixtureTools, dear, confirm],
    env: { CALLS_PER_MINUTE: String(LIMIT) },
  });
});
afterAll(async () => server.close());
beforeEach(() => {
  users += 1;
  token = tokenOf(users);
});

/** The token of a user who has not called yet. */
function tokenOf(user: number): string {
  return `tok_user_${String(user).padStart(10, '0')}`;
}

/** How the text of each of so many calls begins. */
async function callTimes(client: Client, times: number, name = 'whoami'): Promise<string[]> {
  const outcomes: string[] = [];
  for (let call = 0; call < times; call += 1) {
    const { content, isError } = await client.callTool({ name, arguments: {} });
    outcomes.push(isError === true ? JSON.stringify(content) : 'let in');
  }
  return outcomes;
}

const REFUSED = expect.stringMatching(
  /call_limit: this user may make 6 tool calls a minute(, and one of dear counts for 3)?\. Wait \d+ seconds?, then call again\./,
) as unknown;

describe.each(KINDS)('a client over %s', (kind) => {
  test.each(['whoami', 'confirm'])(
    'may call %s three times at once and is then told to wait',
    async (name) => {
      const client = await connectKind(server.url, { kind, token });

      const outcomes = await callTimes(client, 4, name);
      await client.close();

      expect(outcomes).toEqual(['let in', 'let in', 'let in', REFUSED]);
    },
  );
});

test('the sessions and transports of a user share the limit, and a tool with a higher cost uses more of it', async () => {
  const [sse, stateless2026] = [
    await connectKind(server.url, { kind: 'sse', token }),
    await connectKind(server.url, { kind: '2026-07-28', token }),
  ];

  const outcomes = [...(await callTimes(sse, 1, 'dear')), ...(await callTimes(stateless2026, 1))];
  await Promise.all([sse.close(), stateless2026.close()]);

  expect(outcomes).toEqual(['let in', REFUSED]);
});

test('lists and failed requests do not count as calls, and a refused call is logged', async () => {
  const session = await openMcpSession(server.url, token);
  for (let request = 0; request < 10; request += 1)
    await session.post({ jsonrpc: '2.0', id: request, method: 'tools/list' });

  const bodies = [];
  for (let id = 0; id < 4; id += 1) bodies.push((await session.post(callTool(id, 'whoami'))).body);

  expect(bodies.map((body) => JSON.stringify(body).includes('call_limit'))).toEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(
    server.lines.findLast(({ msg, userId }) => msg === 'tool call' && userId === `user-${users}`),
  ).toMatchObject({ tool: 'whoami', outcome: 'call_limit' });
});

test('a token with a limit of its own has that limit', async () => {
  const client = await connectKind(server.url, { kind: 'http', token: 'tok_quick_0123456789' });

  const outcomes = await callTimes(client, 11);
  await client.close();

  expect(outcomes.filter((outcome) => outcome === 'let in')).toHaveLength(10);
});

describe('a program that calls far beyond the limit', () => {
  test('gets 429 with Retry-After on every path, and no other user does', async () => {
    const other = tokenOf((users += 1));
    const session = await openMcpSession(server.url, token);

    const statuses: number[] = [];
    let last = await session.post(callTool(0, 'whoami'));
    for (let id = 1; id < 40 && last.status === 200; id += 1) {
      statuses.push(last.status);
      last = await session.post(callTool(id, 'no_such_tool'));
    }
    const alone = await send(
      `${server.url}/mcp`,
      stateless({ method: 'tools/call', params: { name: 'whoami', arguments: {} } }, { token }),
    );
    const posted = await send(`${server.url}/messages?sessionId=x`, { token, body: callTool(1, 'whoami') });
    const listed = await session.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const others = await send(`${server.url}/mcp`, { token: other, body: callTool(1, 'whoami') });

    // One more for each second that this takes.
    expect(statuses.length).toBeGreaterThanOrEqual(30);
    expect([last.status, alone.status, posted.status, listed.status, others.status]).toEqual([
      429, 429, 429, 200, 200,
    ]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last.body).toMatchObject({ error: { data: { error: 'call_limit' } } });
  });

  test('gains nothing by batches', async () => {
    const session = await openMcpSession(server.url, token, '2025-03-26');
    const batch = Array.from({ length: 25 }, (_, id) => callTool(id, 'whoami'));

    const answers = [await session.post(batch), await session.post(batch)];

    expect(answers.map(({ status }) => status)).toEqual([200, 429]);
  });
});

test('tools that a feature registers on the SDK count too', async () => {
  const own = await startTestServer({
    tokens,
    features: [byHand],
    env: { CALLS_PER_MINUTE: String(LIMIT) },
  });
  const session = await openMcpSession(own.url, token);

  const answers = [];
  for (let id = 0; id < 4; id += 1) answers.push(await session.post(callTool(id, 'by_hand')));
  await own.close();

  expect(answers.map(({ body }) => JSON.stringify(body).includes('call_limit'))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
