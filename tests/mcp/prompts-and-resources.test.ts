/** Prompts and resources: typed, filtered by scope, served only to their user, and logged; over every HTTP transport. */
import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Feature } from '../../src/mcp/feature.ts';
import { definePrompt } from '../../src/mcp/prompt.ts';
import { defineResource } from '../../src/mcp/resource.ts';
import { defineService } from '../../src/mcp/service.ts';
import { defineTool, ToolError } from '../../src/mcp/tool.ts';
import { registrationOf, toListedIcons } from '../../src/mcp/tool-registration.ts';
import { connectInMemory } from '../support/in-memory-mcp.ts';
import { connectKind, type Kind, KINDS } from '../support/kinds.ts';
import { ADA, BOB, GREETER, startTestServer, type TestServer, TOKENS } from '../support/start-server.ts';
import { waitFor } from '../support/process.ts';
import { createToolContext } from '../support/tool-context.ts';

/** Knows which lessons a user may see. */
const shelf = defineService({
  name: 'shelf',
  open: () => ({
    lessonsOf: (userId: string): readonly string[] => (userId === 'ada' ? ['intro', 'ink', 'öl'] : ['intro']),
  }),
});

const dailyReview = definePrompt({
  name: 'daily_review',
  title: 'Daily review',
  description: 'Goes through what you have learned.',
  args: z.object({
    topic: z.string().max(10).describe('What about.'),
    rounds: z.coerce.number().int().default(3).describe('How many.'),
  }),
  scope: 'learn',
  icons: [{ src: 'https://example.com/a.png', sizes: ['any'] }],
  complete: {
    topic: (typed, { use, user }) =>
      use(shelf)
        .lessonsOf(user.userId)
        .filter((id) => id.startsWith(typed)),
    rounds: (typed, { given }) => [`${given['topic']}${typed}`],
  },
  run: ({ topic, rounds }, { user, log }) => {
    log.info('reviewing');
    if (topic === 'none') throw new ToolError('There is no lesson "none".');
    if (topic === 'broken') throw new Error('SECRET');
    return `${user.name} reviews ${topic}, ${rounds.toFixed(0)} times.`;
  },
});

const hello = definePrompt({
  name: 'hello',
  title: 'Hello',
  description: 'Says hello.',
  run: () => [
    { role: 'user', content: { type: 'text', text: 'Say hello.' } },
    { role: 'assistant', content: { type: 'resource', resource: { uri: 'about://us', text: 'us' } } },
  ],
});

const lesson = defineResource({
  name: 'lesson',
  title: 'Lesson',
  description: 'A lesson.',
  uri: 'lesson://{id}',
  params: z.object({ id: z.string().max(20) }),
  mimeType: 'text/markdown',
  scope: 'learn',
  complete: {
    id: (typed, { use, user }) =>
      use(shelf)
        .lessonsOf(user.userId)
        .filter((id) => id.startsWith(typed)),
  },
  list: ({ use, user }) =>
    use(shelf)
      .lessonsOf(user.userId)
      .map((id) => ({
        uri: `lesson://${encodeURIComponent(id)}`,
        name: id,
        annotations: { audience: ['user'] },
      })),
  read: ({ id }, { use, user, uri }) => {
    if (id === 'broken') throw new Error('SECRET');
    return use(shelf).lessonsOf(user.userId).includes(id) ? `# ${id} at ${uri}` : undefined;
  },
});

const about = defineResource({
  name: 'about',
  title: 'About',
  description: 'About us.',
  uri: 'about://us',
  mimeType: 'application/octet-stream',
  cache: { ttlMs: 60_000, shared: true },
  read: () => new Uint8Array([104, 105]),
});

const STUDY: Feature = { name: 'study', prompts: [dailyReview, hello], resources: [lesson, about] };

/** A feature that registers on the SDK, beside what is declared. */
const RAW: Feature = {
  name: 'raw',
  register(server) {
    server.registerPrompt('raw', {}, () => ({ messages: [] }));
    server.registerResource('raw', 'raw://a', {}, ({ href }) => ({ contents: [{ uri: href, text: 'raw' }] }));
    server.registerTool('raw', { description: 'A tool.' }, () => ({ content: [], isError: false }));
  },
};

let server: TestServer;
const clients: Client[] = [];
beforeAll(async () => {
  server = await startTestServer({ features: [STUDY, RAW], services: [shelf], env: { LOG_LEVEL: 'debug' } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.close()));
});
afterAll(async () => server.close());

/** Connects a client to the server above. */
async function connect(kind: Kind, token = ADA): Promise<Client> {
  const client = await connectKind(server.url, { kind, token });
  clients.push(client);
  return client;
}

/** Completes a lesson id from "in". */
async function completeLesson(client: Client): Promise<string[]> {
  const ref = { type: 'ref/resource', uri: 'lesson://{id}' } as const;
  return (await client.complete({ ref, argument: { name: 'id', value: 'in' } })).completion.values;
}

/** The log lines with this message since then. */
function linesSince(first: number, msg: string) {
  return server.lines.slice(first).filter((line) => line['msg'] === msg);
}

describe.each(KINDS)('over %s', (kind) => {
  test('a prompt is listed with its arguments, rendered for its user, and logged', async () => {
    const client = await connect(kind);
    const first = server.lines.length;

    const { prompts } = await client.listPrompts();
    const got = await client.getPrompt({ name: 'daily_review', arguments: { topic: 'ink', rounds: '2' } });

    expect(prompts.map(({ name }) => name)).toEqual(['daily_review', 'hello', 'raw']);
    expect(prompts[0]).toMatchObject({
      title: 'Daily review',
      icons: [{ src: 'https://example.com/a.png' }],
      arguments: [
        { name: 'topic', description: 'What about.', required: true },
        { name: 'rounds', description: 'How many.', required: false },
      ],
    });
    expect(got.messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Ada Lovelace reviews ink, 2 times.' } },
    ]);
    const [line] = linesSince(first, 'prompt served');
    expect(line).toMatchObject({ prompt: 'daily_review', userId: 'ada', outcome: 'ok' });
    expect(linesSince(first, 'reviewing')).toMatchObject([
      { prompt: 'daily_review', requestId: line?.['requestId'] },
    ]);
    expect(JSON.stringify(server.lines.slice(first))).not.toContain('"ink"');
  });

  test('the name of an unknown prompt is not logged: it may be a secret', async () => {
    const client = await connect(kind);
    const first = server.lines.length;

    await expect(client.getPrompt({ name: 'sk-live-1234' })).rejects.toMatchObject({ code: -32_602 });
    await expect(
      client.complete({
        ref: { type: 'ref/prompt', name: 'sk-live-1234' },
        argument: { name: 'id', value: '' },
      }),
    ).rejects.toMatchObject({ code: -32_602 });

    expect(linesSince(first, 'prompt served')).toMatchObject([{ prompt: '(unknown)', outcome: 'error' }]);
    expect(JSON.stringify(server.lines.slice(first))).not.toContain('sk-live-1234');
  });

  test('a prompt may have several messages of every kind of content', async () => {
    const { messages } = await (await connect(kind)).getPrompt({ name: 'hello' });

    expect(messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Say hello.' } },
      { role: 'assistant', content: { type: 'resource', resource: { uri: 'about://us', text: 'us' } } },
    ]);
  });

  test.each([
    {
      name: 'daily_review',
      given: { topic: 'much too long' },
      words: /Invalid arguments for prompt daily_review/,
    },
    { name: 'daily_review', given: {}, words: /Invalid arguments/ },
    { name: 'daily_review', given: { topic: 'none' }, words: /There is no lesson "none"/ },
    { name: 'nothing', given: {}, words: /nothing/ },
  ])('the prompt $name with $given is refused with the reason', async ({ name, given, words }) => {
    const client = await connect(kind);

    await expect(client.getPrompt({ name, arguments: given })).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringMatching(words),
    });
  });

  test('an unexpected error of a prompt or a resource stays in the log', async () => {
    const client = await connect(kind);
    const first = server.lines.length;
    const internal = { code: -32_603, message: expect.stringMatching(/Internal error \(request /) };

    await expect(
      client.getPrompt({ name: 'daily_review', arguments: { topic: 'broken' } }),
    ).rejects.toMatchObject(internal);
    await expect(client.readResource({ uri: 'lesson://broken' })).rejects.toMatchObject(internal);

    expect(linesSince(first, 'prompt failed')).toHaveLength(1);
    expect(linesSince(first, 'resource failed')).toHaveLength(1);
    expect(linesSince(first, 'resource read')).toMatchObject([{ outcome: 'internal_error' }]);
  });

  test('resources are listed, completed and read as their user', async () => {
    const [ada, bob] = [await connect(kind), await connect(kind, BOB)];
    const lists = [await ada.listResources(), await bob.listResources()];
    const { resourceTemplates } = await ada.listResourceTemplates();

    expect(lists.map(({ resources }) => resources.map(({ uri }) => uri))).toEqual([
      ['about://us', 'lesson://intro', 'lesson://ink', 'lesson://%C3%B6l', 'raw://a'],
      ['about://us', 'lesson://intro', 'raw://a'],
    ]);
    expect(lists[0]?.resources[1]).toMatchObject({
      title: 'Lesson',
      mimeType: 'text/markdown',
      name: 'intro',
    });
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['lesson://{id}']);
    expect([await completeLesson(ada), await completeLesson(bob)]).toEqual([['intro', 'ink'], ['intro']]);
    expect((await ada.readResource({ uri: 'lesson://%C3%B6l' })).contents).toEqual([
      { uri: 'lesson://%C3%B6l', mimeType: 'text/markdown', text: '# öl at lesson://%C3%B6l' },
    ]);
    await expect(bob.readResource({ uri: 'lesson://ink' })).rejects.toMatchObject({ code: -32_602 });
    await expect(ada.readResource({ uri: `lesson://${'x'.repeat(21)}` })).rejects.toMatchObject({
      code: -32_602,
    });
    await expect(ada.readResource({ uri: 'lesson://%zz' })).rejects.toMatchObject({ code: -32_602 });
  });

  test('bytes are base64, and have the cache hints that the resource declares', async () => {
    const read = await (await connect(kind)).readResource({ uri: 'about://us' });

    expect(read.contents).toEqual([
      { uri: 'about://us', mimeType: 'application/octet-stream', blob: 'aGk=' },
    ]);
    const { ttlMs, cacheScope } = read as { ttlMs?: number; cacheScope?: string };
    expect({ ttlMs, cacheScope }).toEqual(
      kind === '2026-07-28'
        ? { ttlMs: 60_000, cacheScope: 'public' }
        : { ttlMs: undefined, cacheScope: undefined },
    );
  });

  test('completions of a prompt know the user and the arguments given so far', async () => {
    const client = await connect(kind);
    const complete = async (name: string, value: string) =>
      client.complete({
        ref: { type: 'ref/prompt', name: 'daily_review' },
        argument: { name, value },
        context: { arguments: { topic: 'ink' } },
      });

    expect((await complete('topic', 'in')).completion).toMatchObject({ values: ['intro', 'ink'], total: 2 });
    expect((await complete('rounds', '1')).completion.values).toEqual(['ink1']);
    expect((await complete('toString', '')).completion.values).toEqual([]);
  });

  test('a user without the scope sees no prompt or resource that needs it, and is refused with insufficient_scope', async () => {
    const client = await connect(kind, GREETER);
    const first = server.lines.length;
    const refused = {
      code: -32_602,
      message: expect.stringMatching(/insufficient_scope: .*needs the scope "learn"/),
    };

    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['hello', 'raw']);
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['about://us', 'raw://a']);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    await expect(
      client.getPrompt({ name: 'daily_review', arguments: { topic: 'ink' } }),
    ).rejects.toMatchObject(refused);
    await expect(client.readResource({ uri: 'lesson://intro' })).rejects.toMatchObject(refused);
    await expect(
      client.complete({
        ref: { type: 'ref/prompt', name: 'daily_review' },
        argument: { name: 'topic', value: '' },
      }),
    ).rejects.toMatchObject(refused);
    expect(linesSince(first, 'prompt served')).toMatchObject([
      { userId: 'greta', outcome: 'insufficient_scope' },
    ]);
  });

  test('what a feature registers on the SDK is served and logged as well', async () => {
    const client = await connect(kind);
    const first = server.lines.length;

    await client.getPrompt({ name: 'raw' });
    await client.readResource({ uri: 'raw://a' });
    await client.callTool({ name: 'raw' });

    expect(linesSince(first, 'prompt served')).toMatchObject([{ prompt: 'raw', outcome: 'ok' }]);
    expect(linesSince(first, 'resource read')).toMatchObject([{ resource: 'of a feature', outcome: 'ok' }]);
    expect(linesSince(first, 'tool call')).toMatchObject([{ tool: 'raw', outcome: 'ok' }]);
  });
});

test('fields that a declaration omits are absent from its list entry', () => {
  const face = { name: 'bare', title: 'Bare', description: 'Says little.' };
  const resource = defineResource({ ...face, uri: 'bare://one', read: () => '' });
  const template = defineResource({
    ...face,
    uri: 'bare://{id}',
    params: z.object({ id: z.string() }),
    read: () => '',
  });
  const tool = defineTool({ ...face, input: z.object({}), run: () => '' });

  expect(definePrompt({ ...face, run: () => '' }).listed).toStrictEqual(face);
  expect(resource.listed).toStrictEqual({ resource: { uri: 'bare://one', ...face } });
  expect(template.listed).toStrictEqual({ template: { uriTemplate: 'bare://{id}', ...face } });
  expect(template.list).toBeUndefined();
  expect(Object.keys(registrationOf(tool).config)).toEqual(['title', 'description', 'inputSchema']);
  expect(toListedIcons([{ src: 'https://example.com/a.png' }])).toStrictEqual([
    { src: 'https://example.com/a.png' },
  ]);
});

test("a change of a user's scopes notifies the client of changed tools, prompts and resources", async () => {
  const told: string[] = [];
  const bob = await connectKind(server.url, { kind: 'sse', token: BOB }, (client) => {
    for (const list of ['tools', 'prompts', 'resources'] as const) {
      client.setNotificationHandler(`notifications/${list}/list_changed`, () => void told.push(list));
    }
  });
  clients.push(bob);

  await server.writeTokens({ ...TOKENS, [BOB]: { userId: 'bob', name: 'Bob', scopes: [] } });
  await waitFor('the notifications', () => told.length >= 3);
  const { prompts } = await bob.listPrompts();
  await server.writeTokens(TOKENS);

  expect(told.slice(0, 3)).toEqual(['tools', 'prompts', 'resources']);
  expect(prompts.map(({ name }) => name)).toEqual(['hello', 'raw']);
});

test('a read of a resource counts among the calls of its user in flight', async () => {
  const emitter = new EventEmitter();
  const held = once(emitter, 'go');
  const slow = defineResource({
    name: 'slow',
    title: 'Slow',
    description: 'Waits.',
    uri: 'slow://a',
    read: async () => {
      await held;
      return 'a';
    },
  });
  const { client, close } = await connectInMemory({
    features: [{ name: 'f', resources: [slow] }],
    maxCallsPerUser: 1,
  });

  const first = client.readResource({ uri: 'slow://a' });
  await expect(client.readResource({ uri: 'slow://a' })).rejects.toThrow(
    /too_many_calls: 1 calls of this user/,
  );
  emitter.emit('go');

  expect((await first).contents).toEqual([{ uri: 'slow://a', text: 'a' }]);
  await close();
});

test('a prompt and a resource can be tested without a server', async () => {
  const context = createToolContext();

  expect((await hello.run(undefined, context)).messages).toHaveLength(2);
  expect(await about.read({}, { ...context, uri: 'about://us' })).toMatchObject({
    contents: [{ blob: 'aGk=' }],
  });
  expect(lesson.match('lesson://a%20b')).toEqual({ id: 'a b' });
  expect(lesson.match('other://a')).toBeUndefined();
});

test('a doubled name, or a shared cache for what needs a scope, is refused', async () => {
  const twice: Feature = { name: 'twice', prompts: [hello, hello] };

  await expect(connectInMemory({ features: [twice] })).rejects.toThrow(
    'Two prompts are named hello. Each needs its own, and is listed once.',
  );
  await expect(connectInMemory({ features: [STUDY, { name: 'more', resources: [lesson] }] })).rejects.toThrow(
    'Two resources have the URI lesson://{id}. Each needs its own, and is listed once.',
  );
  expect(() =>
    defineResource({
      name: 'a',
      title: 'A',
      description: 'A.',
      uri: 'a://a',
      scope: 'b',
      cache: { ttlMs: 1, shared: true },
      read: () => 'a',
    }),
  ).toThrow(/cannot be shared/);
});

test.each(['lesson://{lessonId}', 'lesson://all'])(
  'parameters that are in no URI of %s end the start, with their names',
  (uri) => {
    const params = z.object({ id: z.string(), page: z.string().optional() });
    const declare = () =>
      defineResource({ name: 'lesson', title: 'L', description: 'L.', uri, params, read: ({ id }) => id });

    expect(declare).toThrow(`lesson: the URI ${uri} has no variable for id, so it could never be read.`);
  },
);

/** Declares a prompt with one argument, and a resource with one variable. */
function declarationsWith(field: z.ZodType): readonly (() => unknown)[] {
  const fields = z.object({ size: field });
  const texts = { name: 'notes', title: 'N', description: 'N.' };
  return [
    () => definePrompt({ ...texts, args: fields, run: () => 'N' }),
    () => defineResource({ ...texts, uri: 'notes://{size}', params: fields, read: () => 'N' }),
  ];
}

describe('what is sent as a text', () => {
  const HELP =
    'refuses every text, and clients send nothing else. For a number use z.coerce.number(), for a switch z.stringbool(), for a date z.iso.date().';

  test.each([
    ['a number', z.number()],
    ['an optional whole number', z.int().optional()],
    ['a switch', z.boolean().default(false)],
    ['a date', z.date()],
    ['a list', z.array(z.string())],
    ['a literal number', z.literal([1, 2])],
    ['a number or a switch', z.union([z.number(), z.boolean()])],
    ['a text that is a number, too', z.intersection(z.string(), z.number())],
  ])('%s ends the start: it would refuse every request', (_what, field) => {
    const [prompt, resource] = declarationsWith(field);

    expect(prompt).toThrow(`The prompt notes: the schema of size ${HELP}`);
    expect(resource).toThrow(`The resource notes: the schema of size ${HELP}`);
  });

  test.each([
    ['a number that is converted', z.coerce.number().int().max(0)],
    ['a switch that is converted', z.stringbool().optional()],
    ['a date', z.iso.date()],
    ['a choice', z.enum(['small', 'large'])],
    ['a text or a number', z.union([z.number(), z.string().min(5)])],
    [
      'a text that is looked up',
      z
        .string()
        .transform((text) => ({ a: 5 })[text])
        .pipe(z.number()),
    ],
    [
      'a text with a function that throws',
      z
        .string()
        .transform((text) => new URL(text).href)
        .pipe(z.string()),
    ],
    ['a text that is checked elsewhere', z.string().refine(async () => false)],
  ])('%s may be declared', (_what, field) => {
    for (const declare of declarationsWith(field)) expect(declare).not.toThrow();
  });

  test('an argument may be converted to what JSON does not have', async () => {
    const args = z.object({ day: z.coerce.date().describe('Which day.') });
    const prompt = definePrompt({
      name: 'diary',
      title: 'Diary',
      description: 'A day.',
      args,
      run: ({ day }) => day.toISOString(),
    });

    const { messages } = await prompt.run({ day: '2026-01-02' }, createToolContext());

    expect(prompt.listed.arguments).toEqual([{ name: 'day', description: 'Which day.', required: true }]);
    expect(messages).toMatchObject([{ content: { text: '2026-01-02T00:00:00.000Z' } }]);
  });

  test('a variable with a star may be a list', () => {
    const params = z.object({ tags: z.array(z.string()) });
    const texts = { name: 'notes', title: 'N', description: 'N.' };

    const notes = defineResource({ ...texts, uri: 'notes://{tags*}', params, read: () => 'N' });

    expect(notes.match('notes://a,b')).toEqual({ tags: ['a', 'b'] });
  });
});

describe('a query in the URI of a template', () => {
  const notes = defineResource({
    name: 'notes',
    title: 'Notes',
    description: 'Some notes.',
    uri: 'notes://{folder}{?size,page}',
    params: z.object({
      folder: z.string(),
      size: z.coerce.number().int().default(10),
      page: z.string().optional(),
    }),
    read: ({ folder, size, page }) => JSON.stringify({ folder, size, page }),
  });

  test.each([
    ['notes://all', { size: 10 }],
    ['notes://all?', { size: 10 }],
    ['notes://all?size=5', { size: 5 }],
    ['notes://all?page=2', { size: 10, page: '2' }],
    ['notes://all?page=a%26b&size=5', { size: 5, page: 'a&b' }],
  ])('may be incomplete, and in any order: %s', async (uri, found) => {
    const { client, close } = await connectInMemory({ features: [{ name: 'notes', resources: [notes] }] });

    const { contents } = await client.readResource({ uri });

    expect(contents).toEqual([{ uri, text: JSON.stringify({ folder: 'all', ...found }) }]);
    await close();
  });

  test.each(['notes://all?size=x', 'notes://all?other=1', 'notes://a/b', 'notes://?size=5'])(
    'that is of no such resource is not found: %s',
    (uri) => {
      expect(notes.match(uri)).toBeUndefined();
    },
  );

  test('may stand behind a URI without other variables', () => {
    const params = z.object({ size: z.string().optional() });
    const { match } = defineResource({
      name: 'notes',
      title: 'N',
      description: 'N.',
      uri: 'notes://list{?size}',
      params,
      read: () => 'N',
    });

    expect([match('notes://list'), match('notes://list?size=5'), match('notes://lis')]).toEqual([
      {},
      { size: '5' },
      undefined,
    ]);
  });

  test.each([
    ['notes://{;size}', '{;size}'],
    ['notes://{id:3}', '{id:3}'],
    ['notes:/{/folder,id}', '{/folder,id}'],
  ])('is supported, but not %s, which ends the start', (uri, expression) => {
    const declare = () => defineResource({ name: 'n', title: 'N', description: 'N.', uri, read: () => 'N' });

    expect(declare).toThrow(
      `${expression} in the URI ${uri} is not supported. Write {id} or {/id} for each variable of a path, and {?size,page} for a query.`,
    );
  });
});
