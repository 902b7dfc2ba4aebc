/** The example through real clients, over every transport and with both generations of the SDK. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { CLIENT_KINDS, connectClient } from '../../../tests/support/clients.ts';
import { findModernNode } from '../../../scripts/modern-node.ts';
import { testEach, testInCi } from '../../../tests/support/in-ci.ts';
import { builtFile, createSandbox, ROOT, waitFor, waitForEnd } from '../../../tests/support/process.ts';
import { startServer, TOKEN, WITH_TOKENS } from '../../../tests/support/server-process.ts';
import { ADA, BOB, GREETER, startTestServer, type TestServer } from '../../../tests/support/start-server.ts';
import { definition } from '../definition.ts';

const INSPECTOR = path.join(
  ROOT,
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
);

const sandbox = createSandbox();
let server: TestServer;
const clients: Client[] = [];
beforeAll(async () => {
  const env = { DATABASE_URL: `sqlite:${await sandbox.folder()}/test.db` };
  server = await startTestServer({ ...definition, env });
});
afterAll(async () => {
  await Promise.all(clients.map(async (client) => client.close()));
  await server.close();
  await sandbox.close();
});

const KINDS = ['sse', 'http', '2026-07-28'] as const;

/** Options of a test client. */
interface ClientOptions {
  readonly kind?: (typeof KINDS)[number];
  readonly token?: string;
  /** The lesson that its user chooses when asked; without one the client does not support elicitation. */
  readonly chooses?: string;
}

/** Connects a client, and records the lists that it is told have changed. */
async function connect({ kind = 'http', token = ADA, chooses }: ClientOptions = {}) {
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const transport: Transport =
    kind === 'sse'
      ? new SSEClientTransport(new URL('/sse', server.url), { requestInit })
      : new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit });
  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities: chooses === undefined ? {} : { elicitation: {} },
      versionNegotiation: { mode: kind === '2026-07-28' ? { pin: kind } : 'legacy' },
    },
  );
  if (chooses !== undefined)
    client.setRequestHandler('elicitation/create', async () => ({
      action: 'accept' as const,
      content: { lesson: chooses },
    }));
  const changed: string[] = [];
  client.setNotificationHandler('notifications/resources/list_changed', () => void changed.push('resources'));
  await client.connect(transport);
  clients.push(client);
  return { client, changed };
}

/** Calls a tool. */
async function call(client: Client, name: string, input: Record<string, unknown> = {}) {
  return client.callTool({ name, arguments: input });
}

/** Solves a lesson. */
async function solve(client: Client, answers: Readonly<Record<string, string>>): Promise<void> {
  for (const [exercise, answer] of Object.entries(answers))
    await call(client, 'record_attempt', { exercise, answer });
}

/** The URIs of the resources that a client lists. */
async function listed(client: Client): Promise<string[]> {
  return (await client.listResources()).resources.map(({ uri }) => uri);
}

describe('a learner', () => {
  test('unlocks a lesson, is told so, reads it and is asked about it; another one sees none of that', async () => {
    const [ada, bob] = [await connect({ kind: 'sse' }), await connect({ kind: 'sse', token: BOB })];
    const before = await listed(ada.client);

    await solve(ada.client, { 'greetings-1': 'hola', 'greetings-2': 'gracias' });
    await waitFor('the change', () => ada.changed.length > 0);
    const [ofAda, ofBob] = [await listed(ada.client), await listed(bob.client)];
    const numbers = await ada.client.readResource({ uri: 'lesson://numbers' });
    const completing = {
      ref: { type: 'ref/resource' as const, uri: 'lesson://{id}' },
      argument: { name: 'id', value: '' },
    };
    const completed = [await ada.client.complete(completing), await bob.client.complete(completing)];

    expect(before).toEqual(['ui://progress/view.html', 'lesson://greetings']);
    expect(ofAda).toEqual([...before, 'lesson://numbers']);
    expect(ofBob).toEqual(before);
    expect(numbers.contents).toMatchObject([
      { mimeType: 'text/markdown', text: expect.stringMatching(/^# Numbers/) },
    ]);
    await expect(bob.client.readResource({ uri: 'lesson://numbers' })).rejects.toThrow(/not found/i);
    expect(completed.map(({ completion }) => completion.values)).toEqual([
      ['greetings', 'numbers'],
      ['greetings'],
    ]);
    expect([ada.changed.length, bob.changed.length]).toEqual([1, 0]);
  });

  testEach(KINDS)(
    'is asked which lesson over %s, and practises the last one where nobody can ask',
    async (kind) => {
      const [asking, silent] = [await connect({ kind, chooses: 'greetings' }), await connect({ kind })];

      const [chosen, taken] = [
        await call(asking.client, 'next_exercise'),
        await call(silent.client, 'next_exercise'),
      ];

      expect(chosen.structuredContent).toMatchObject({ lesson: 'greetings' });
      expect(taken.structuredContent).toMatchObject({ lesson: 'numbers' });
      expect(taken.content).toMatchObject([
        { text: expect.stringContaining('call with lesson: greetings, numbers') },
      ]);
    },
  );

  test('reviews what went wrong, with the last lesson beside', async () => {
    const { client } = await connect();
    await call(client, 'record_attempt', { exercise: 'numbers-1', answer: 'trece' });

    const { messages } = await client.getPrompt({ name: 'daily_review', arguments: { days: '3' } });
    const refused = client.getPrompt({ name: 'daily_review', arguments: { days: 'few' } });

    expect(messages).toMatchObject([
      { role: 'user', content: { text: expect.stringContaining('How do you say "three"? (numbers-1)') } },
      { role: 'user', content: { resource: { uri: 'lesson://numbers' } } },
    ]);
    await expect(refused).rejects.toThrow(/must be a number of days/);
  });

  test('without the scope sees and calls only what needs none', async () => {
    const { client } = await connect({ token: GREETER });

    const { tools } = await client.listTools();
    const refused = await call(client, 'next_exercise');

    expect(tools.map(({ name }) => name)).toEqual(['my_progress']);
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^insufficient_scope/) }],
    });
  });
});

describe('the view of my_progress', () => {
  test('is named by the tool and served as a page, with words and icons beside for every client', async () => {
    const { client } = await connect();

    const { tools } = await client.listTools();
    const tool = tools.find(({ name }) => name === 'my_progress');
    const { uri } = z
      .object({ ui: z.object({ resourceUri: z.string() }) })
      .transform(({ ui }) => ({ uri: ui.resourceUri }))
      .parse(tool?._meta);
    const { contents } = await client.readResource({ uri });
    const { content, structuredContent } = await call(client, 'my_progress');

    expect(tool?.icons).toMatchObject([{ mimeType: 'image/svg+xml' }]);
    expect(contents).toMatchObject([
      { mimeType: 'text/html;profile=mcp-app', text: expect.stringMatching(/^<!doctype html>/) },
    ]);
    expect(content).toMatchObject([{ type: 'text', text: expect.stringMatching(/^Greetings: 2 of 2/) }]);
    expect(structuredContent).toMatchObject({ lessons: [{ id: 'greetings' }, { id: 'numbers' }] });
  });
});

testEach(CLIENT_KINDS)('a client of kind %s lists the tools and calls them', async (kind) => {
  const client = await connectClient(kind, { url: server.url, token: BOB });

  const { tools } = await client.listTools();
  const exercise = await client.call('next_exercise');
  const attempt = await client.call('record_attempt', { exercise: 'greetings-1', answer: 'adiós' });
  await client.close();

  expect(tools.map(({ name }) => name)).toEqual(['next_exercise', 'record_attempt', 'my_progress']);
  expect(exercise).toEqual({ isError: false, text: expect.stringContaining('How do you say') });
  expect(attempt).toEqual({ isError: false, text: 'Not quite: "hola" would have been right.' });
});

testInCi(
  'the Inspector calls a tool and reads a lesson of the program that npm run example starts',
  async () => {
    const entry = [builtFile('examples/progress/main.js')];
    const env = { ...WITH_TOKENS.env, DATABASE_URL: 'sqlite:data/test.db' };
    const [program, node] = [
      await startServer(sandbox, { ...WITH_TOKENS, env, entry }),
      await findModernNode(),
    ];
    const target = [
      `${program.url}/mcp`,
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${TOKEN.ada}`,
    ];
    const inspect = async (...args: string[]): Promise<string> => {
      const run = sandbox.spawn({
        command: node,
        args: [INSPECTOR, '--cli', ...target, '--method', ...args],
        cwd: await sandbox.folder(),
      });
      await waitForEnd(run, { timeoutMs: 20_000 });
      return run.stdout() + run.stderr();
    };

    const [progress, lesson] = await Promise.all([
      inspect('tools/call', '--tool-name', 'my_progress'),
      inspect('resources/read', '--uri', 'lesson://greetings'),
    ]);

    expect(JSON.parse(progress)).toMatchObject({ content: [{ text: 'Greetings: 0 of 2 solved, 0 tries.' }] });
    expect(JSON.parse(lesson)).toMatchObject({ contents: [{ text: expect.stringMatching(/^# Greetings/) }] });
  },
  180_000,
);
