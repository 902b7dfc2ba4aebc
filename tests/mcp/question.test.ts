/** Elicitation by tools, over the HTTP transports and in every revision, and what a tool does when the client cannot elicit. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Client,
  type ElicitResult,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { type AskingContext, defineTool } from '../../src/mcp/tool.ts';
import { connectInMemory } from '../support/in-memory-mcp.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

/** How often the tool has run. */
let runs = 0;

const FORM = z.object({
  sure: z.boolean().describe('Whether to begin.'),
  pace: z.enum(['slow', 'fast']).default('slow').describe('How fast.'),
});

/** Elicits before it does something. */
const beginLesson = defineTool({
  name: 'begin_lesson',
  title: 'Begin',
  description: 'Begins a lesson.',
  input: z.object({ id: z.string() }),
  elicits: true,
  run: async ({ id }, { elicit, progress }) => {
    runs += 1;
    await progress(1);
    const answer = await elicit({ message: `Begin ${id}?`, form: FORM });
    if (answer.action === 'unavailable') return `Call again when the user has said yes to ${id}.`;
    if (answer.action !== 'accept') return `Not begun: ${answer.action}.`;
    return answer.content.sure ? `Begun ${id}, ${answer.content.pace}.` : 'Not sure.';
  },
});

let server: TestServer;
const clients: Client[] = [];
beforeAll(async () => {
  server = await startTestServer({ tools: [beginLesson] });
});
afterEach(async () => {
  runs = 0;
  await Promise.all(clients.splice(0).map(async (client) => client.close()));
});
afterAll(async () => server.close());

const KINDS = ['sse', 'http', '2026-07-28'] as const;

/** Connects a client that gives this answer to an elicitation; without an answer it cannot elicit. */
async function connect(
  kind: (typeof KINDS)[number],
  answer?: ElicitResult,
): Promise<{ client: Client; asked: string[] }> {
  const requestInit = { headers: { Authorization: `Bearer ${ADA}` } };
  const transport: Transport =
    kind === 'sse'
      ? new SSEClientTransport(new URL('/sse', server.url), { requestInit })
      : new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit });
  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities: answer === undefined ? {} : { elicitation: {} },
      versionNegotiation: { mode: kind === '2026-07-28' ? { pin: kind } : 'legacy' },
    },
  );
  const asked: string[] = [];
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      asked.push(params.message);
      return answer;
    });
  }
  await client.connect(transport);
  clients.push(client);
  return { client, asked };
}

/** Calls the tool; resolves to its content. */
async function begin(client: Client): Promise<unknown> {
  const { content } = await client.callTool({ name: 'begin_lesson', arguments: { id: 'verbs' } });
  return content;
}

/** A content of one text. */
function text(words: unknown): unknown {
  return [{ type: 'text', text: words }];
}

test('progress that was reported before an elicitation is not reported again', async () => {
  const { client } = await connect('http', { action: 'accept', content: { sure: true } });
  const heard: unknown[] = [];

  await client.callTool(
    { name: 'begin_lesson', arguments: { id: 'verbs' } },
    { onprogress: (progress) => heard.push(progress) },
  );

  expect(runs).toBe(2);
  expect(heard).toEqual([{ progress: 1 }]);
});

describe.each(KINDS)('over %s', (kind) => {
  test.each<{ answer: ElicitResult; words: string }>([
    { answer: { action: 'accept', content: { sure: true, pace: 'fast' } }, words: 'Begun verbs, fast.' },
    { answer: { action: 'accept', content: { sure: true } }, words: 'Begun verbs, slow.' },
    { answer: { action: 'decline' }, words: 'Not begun: decline.' },
    { answer: { action: 'cancel' }, words: 'Not begun: cancel.' },
  ])(
    '$answer.action reaches the tool, which runs once until it asks and once to the end',
    async ({ answer, words }) => {
      const { client, asked } = await connect(kind, answer);
      const before = server.lines.length;

      expect(await begin(client)).toEqual(text(words));

      expect(asked).toEqual(['Begin verbs?']);
      expect(runs).toBe(2);
      const ends = server.lines.slice(before).filter(({ msg }) => msg === 'tool call');
      expect(ends.map(({ outcome }) => outcome)).toEqual(['input_required', 'ok']);
    },
  );

  test('a tool whose client cannot elicit learns that at once', async () => {
    const { client } = await connect(kind);

    expect(await begin(client)).toEqual(text('Call again when the user has said yes to verbs.'));
    expect(runs).toBe(1);
  });
});

test('an answer that does not fit the form is an error for the model', async () => {
  const connection = await connectInMemory({ tools: [beginLesson] });
  // The client's SDK checks what its own handler returns against the form, so this client answers without it.
  connection.client.fallbackRequestHandler = async () => ({ action: 'accept', content: { sure: 'perhaps' } });

  const result = await connection.call('begin_lesson', { id: 'verbs' });
  await connection.close();

  expect(result).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^What the user has filled in is not valid: .*sure/s) }],
  });
});

test('an elicitation ends the run even if the tool catches it, and frees its places meanwhile', async () => {
  const stubborn = defineTool({
    name: 'stubborn',
    title: 'Stubborn',
    description: 'Asks, and minds nothing.',
    input: z.object({}),
    elicits: true,
    concurrency: 1,
    run: async (_input, { elicit }) => {
      const answer = await elicit({ message: 'Well?', form: z.object({}) }).catch(() => undefined);
      return answer?.action ?? 'no answer';
    },
  });
  const connection = await connectInMemory({ tools: [stubborn], maxCallsPerUser: 1 });
  connection.client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' as const }));

  const result = await connection.call('stubborn');
  await connection.close();

  expect(result).toEqual({ content: text('decline') });
});

test('a tool that elicits twice in a call, or without `elicits: true`, fails', async () => {
  const face = { title: 'T', description: 'A tool.', input: z.object({}) };
  const question = { message: 'Well?', form: z.object({}) };
  const twice = defineTool({
    ...face,
    name: 'twice',
    elicits: true,
    run: async (_input, { elicit }) => {
      await elicit(question);
      return (await elicit(question)).action;
    },
  });
  const silent = defineTool({
    ...face,
    name: 'silent',
    run: async (_input, context) => {
      // @ts-expect-error -- without `elicits: true` there is no `elicit`
      const { elicit } = context;
      return typeof elicit === 'function' ? (await (elicit as AskingContext['elicit'])(question)).action : '';
    },
  });
  const connection = await connectInMemory({ tools: [twice, silent] });
  connection.client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' as const }));

  const results = await Promise.all([connection.call('twice'), connection.call('silent')]);
  await connection.close();

  expect(results).toMatchObject([{ isError: true }, { isError: true }]);
  const failures = connection.lines.filter(({ msg }) => msg === 'tool failed');
  expect(JSON.stringify(failures)).toContain('asks its user twice in one call');
  expect(JSON.stringify(failures)).toContain('Declare the tool with `elicits: true`');
});
