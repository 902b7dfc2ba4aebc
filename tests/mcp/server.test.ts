/** The server behind every transport: what it lists for whom, and what features add to it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, type ServerCapabilities } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createUserContext } from '../../src/auth/user.ts';
import type { Caller } from '../../src/mcp/caller.ts';
import type { Feature } from '../../src/mcp/feature.ts';
import { createMcpServer, listsThatDiffer } from '../../src/mcp/server.ts';
import { createToolLister } from '../../src/mcp/tool-lister.ts';
import { defineTool, type Tool } from '../../src/mcp/tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import {
  connectInMemory,
  createCaller,
  createDefinition,
  type InMemoryConnection,
  type InMemoryOptions,
} from '../support/in-memory-mcp.ts';

const connections: InMemoryConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async (connection) => connection.close()));
});

/** Connects a client. */
async function connect(options: InMemoryOptions): Promise<InMemoryConnection> {
  const connection = await connectInMemory(options);
  connections.push(connection);
  return connection;
}

/** A parameter that clients repeat in a header. */
function named(schema: z.ZodType, header: string): z.ZodType {
  return schema.meta({ 'x-mcp-header': header });
}

/** A tool with this input. */
function withInput(input: z.ZodObject): Tool {
  return defineTool({ name: 'headed', title: 'Headed', description: 'Has headers.', input, run: () => '' });
}

/** Tools that need no scope, one scope, and another. */
const SCOPED = [undefined, 'greet', 'admin'].map((scope) =>
  defineTool({
    name: `needs_${scope ?? 'nothing'}`,
    title: 'Scoped',
    description: 'Needs a scope, or none.',
    input: z.object({}),
    ...(scope !== undefined && { scope }),
    run: () => 'done',
  }),
);

/** A tool that a feature registers on the SDK's server. */
const SDK_TOOL: Feature = {
  name: 'sdk tool',
  register: (server, { callerOf }) => {
    server.registerTool('sdk_tool', { description: 'Knows the SDK.' }, (context) => ({
      content: [{ type: 'text', text: `for ${callerOf(context).user.userId}` }],
    }));
  },
};

/** The names of tools. */
function namesOf(tools: readonly { name: string }[]): string[] {
  return tools.map(({ name }) => name);
}

test('names of members that every object has, such as __proto__, are no tools and no prompts', async () => {
  const feature: Feature = {
    name: 'sdk prompt',
    register: (server, context) => {
      SDK_TOOL.register?.(server, context);
      server.registerPrompt('sdk_prompt', {}, () => ({ messages: [] }));
    },
  };
  const { client } = await connect({ features: [feature] });

  for (const name of ['toString', '__proto__']) {
    await expect(client.callTool({ name, arguments: {} })).rejects.toThrow(`Tool ${name} not found`);
    await expect(client.getPrompt({ name })).rejects.toThrow(`Prompt ${name} not found`);
  }
});

describe('the list of tools', () => {
  test('describes each tool completely, in the order of the definition', async () => {
    const { client } = await connect({ tools: fixtureTools });

    const { tools } = await client.listTools();

    expect(namesOf(tools)).toEqual(['get_greeting', 'echo_message', 'whoami']);
    expect(tools[0]).toEqual({
      name: 'get_greeting',
      title: 'Greeting',
      description: 'Greets a name, or the current user when no name is given.',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 200,
            description: 'Whom to greet.',
          },
        },
      },
      annotations: { readOnlyHint: true },
    });
    expect(tools[1]?.inputSchema).toMatchObject({ required: ['message'] });
    expect(tools[2]?.outputSchema).toMatchObject({
      required: ['userId', 'name', 'transport', 'protocolVersion'],
    });
  });

  test('shows the input schema as it may be sent and the output schema as it will come', async () => {
    const tool = defineTool({
      name: 'probe',
      title: 'Probe',
      description: 'Has a default on both sides.',
      input: z.object({ count: z.number().default(1) }),
      output: z.object({ unit: z.string().default('m') }),
      run: () => ({}),
    });
    const { client } = await connect({ tools: [tool] });

    const [listed] = (await client.listTools()).tools;

    expect(listed?.inputSchema.required).toBeUndefined();
    expect(listed?.outputSchema?.['required']).toEqual(['unit']);
  });

  test.each([
    { scopes: undefined, names: ['needs_nothing', 'needs_greet', 'needs_admin', 'sdk_tool'] },
    { scopes: [], names: ['needs_nothing', 'sdk_tool'] },
    { scopes: ['greet'], names: ['needs_nothing', 'needs_greet', 'sdk_tool'] },
    { scopes: ['admin', 'other'], names: ['needs_nothing', 'needs_admin', 'sdk_tool'] },
  ])('for the scopes $scopes has $names', async ({ scopes, names }) => {
    const { client } = await connect({
      tools: SCOPED,
      features: [SDK_TOOL],
      user: { userId: 'ada', scopes },
    });

    expect(namesOf((await client.listTools()).tools)).toEqual(names);
  });

  test("follows the credential of each request, not that of the session's first one", async () => {
    const { client, actAs } = await connect({ tools: SCOPED });

    const first = (await client.listTools(undefined, { cacheMode: 'bypass' })).tools;
    actAs({ userId: 'ada', scopes: [] });
    const second = (await client.listTools(undefined, { cacheMode: 'bypass' })).tools;

    expect([first.length, second.length]).toEqual([3, 1]);
  });

  test('is filtered also when a feature declares the capability, or registers no tools', async () => {
    const declaring: Feature = {
      name: 'declaring',
      options: { capabilities: { tools: { listChanged: true } } },
    };
    const user = { userId: 'ada', scopes: ['greet'] };

    const { client } = await connect({ tools: SCOPED, features: [declaring], user });

    expect(namesOf((await client.listTools()).tools)).toEqual(['needs_nothing', 'needs_greet']);
  });

  test.each<[string, z.ZodObject]>([
    ['a text', z.object({ a: named(z.string(), 'Region') })],
    ['an optional integer', z.object({ a: named(z.int().optional(), 'X') })],
    [
      'members of a nested object',
      z.object({ o: z.object({ a: named(z.boolean(), 'A'), b: named(z.string(), 'B') }) }),
    ],
  ])('may have an x-mcp-header on %s', (_what, input) => {
    expect(() => createDefinition({ tools: [withInput(input)] })).not.toThrow();
  });

  test.each<[string, z.ZodObject]>([
    ['a fraction', z.object({ a: named(z.number(), 'A') })],
    ['a nullable string', z.object({ a: named(z.string().nullable(), 'A') })],
    ['an item of an array', z.object({ l: z.array(named(z.string(), 'A')) })],
    ['a parameter without a header name', z.object({ a: named(z.string(), '') })],
    ['a parameter whose header name has two lines', z.object({ a: named(z.string(), 'A\r\nB') })],
    [
      'two parameters with one header name',
      z.object({ a: named(z.string(), 'A'), b: named(z.string(), 'a') }),
    ],
  ])('may have no x-mcp-header on %s, for which clients would leave the tool out', (_what, input) => {
    expect(() => createDefinition({ tools: [withInput(input)] })).toThrow(
      'headed: x-mcp-header must be a header name',
    );
  });

  test.each([
    ['input', { input: z.object({ day: z.coerce.date() }) }, 'Date cannot be represented in JSON Schema'],
    ['input', { input: z.object({ id: z.bigint() }) }, 'BigInt cannot be represented in JSON Schema'],
    [
      'output',
      { output: z.object({ day: z.date().transform(String) }) },
      'Transforms cannot be represented in JSON Schema',
    ],
  ])(
    'may have no %s that JSON Schema cannot describe: the start ends with what to use',
    (io, part, reason) => {
      const tool: Tool = { ...withInput(z.object({})), ...part };

      expect(() => createDefinition({ tools: [tool] })).toThrow(
        `headed: its ${io} cannot be described to clients: ${reason}. Use what JSON has, such as z.iso.date() for a date, and add .pipe() with the schema of the result to an output with .transform().`,
      );
    },
  );

  test('may have no name twice: such a definition is refused', () => {
    expect(() => createDefinition({ tools: [...SCOPED, ...SCOPED] })).toThrow(
      'Two tools are named needs_nothing. Each needs its own, and is listed once.',
    );
  });

  test('may be that of features alone', async () => {
    const { client, call } = await connect({ features: [SDK_TOOL], user: { userId: 'bob', scopes: [] } });

    expect(namesOf((await client.listTools()).tools)).toEqual(['sdk_tool']);
    expect(await call('sdk_tool')).toEqual({ content: [{ type: 'text', text: 'for bob' }] });
  });
});

describe('the list for GET /tools', () => {
  test('is what a client of the user gets', async () => {
    const { client, definition } = await connect({ tools: SCOPED, features: [SDK_TOOL] });
    const listTools = createToolLister(definition);

    const every = await listTools(createUserContext({ userId: 'ada' }));
    const some = await listTools(createUserContext({ userId: 'bob', scopes: ['admin'] }));

    expect(every).toEqual((await client.listTools()).tools);
    expect(namesOf(some)).toEqual(['needs_nothing', 'needs_admin', 'sdk_tool']);
  });

  test('throws when a feature cannot register, so that the server does not start', () => {
    const broken: Feature = {
      name: 'broken',
      register: () => {
        throw new Error('no such table');
      },
    };
    const { definition } = createDefinition({ features: [broken] });

    expect(() => createToolLister(definition)).toThrow('no such table');
  });

  test('is empty for a server without tools', async () => {
    const { definition } = createDefinition();

    expect(await createToolLister(definition)(createUserContext({ userId: 'ada' }))).toEqual([]);
  });
});

describe('two users', () => {
  test.each([
    { one: undefined, other: ['greet', 'admin'], same: true },
    { one: ['greet'], other: ['greet', 'unused'], same: true },
    { one: undefined, other: ['greet'], same: false },
    { one: ['admin'], other: ['greet'], same: false },
    { one: [], other: ['unused'], same: true },
  ])('with the scopes $one and $other have the same list of tools: $same', ({ one, other, same }) => {
    const { definition } = createDefinition({ tools: SCOPED });
    const users = [one, other].map((scopes) => createUserContext({ userId: 'ada', scopes })) as [
      Caller['user'],
      Caller['user'],
    ];

    expect(listsThatDiffer(definition, ...users)).toEqual(same ? [] : ['tools']);
  });
});

describe('a connection', () => {
  test('without callers in its requests has a caller of its own, as over stdio', async () => {
    const { definition, lines } = createDefinition({ tools: SCOPED });
    let requests = 0;
    const server = createMcpServer(definition, {
      caller: () => createCaller({ userId: 'local', scopes: ['greet'] }, `own-${(requests += 1)}`),
    });
    const client = await connectPlain(server);

    const { tools } = await client.listTools();
    await client.callTool({ name: 'needs_greet' });
    await client.close();

    expect(namesOf(tools)).toEqual(['needs_nothing', 'needs_greet']);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'tool call', userId: 'local', requestId: 'own-2' }),
    );
  });

  test('without any caller lists and serves no tools', async () => {
    const { definition } = createDefinition({ tools: SCOPED });
    const client = await connectPlain(createMcpServer(definition));

    await expect(client.listTools()).rejects.toThrow('without a caller');
    await expect(client.callTool({ name: 'needs_nothing' })).resolves.toMatchObject({ isError: true });
    await client.close();
  });

  test('learns the name and the version of the server', async () => {
    const { client } = await connect({ tools: SCOPED });

    expect(client.getServerVersion()).toMatchObject({ name: 'test', version: '1.2.3' });
  });
});

describe('the options of several features', () => {
  test('are merged: capabilities at every level', async () => {
    const features: Feature[] = [
      { name: 'a', options: { capabilities: { resources: { subscribe: true }, logging: {} } } },
      { name: 'b', options: { capabilities: { resources: { listChanged: true }, completions: {} } } },
      { name: 'c' },
    ];

    const { client } = await connect({ tools: SCOPED, features });

    expect(client.getServerCapabilities()).toEqual({
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      completions: {},
    });
  });

  test('are, apart from capabilities, those of the last feature that has them', async () => {
    const features: Feature[] = [
      { name: 'a', options: { instructions: 'First.', cacheHints: { 'tools/list': { ttlMs: 1 } } } },
      { name: 'b', options: { instructions: 'Second.' } },
    ];

    const { client, definition } = await connect({ features });

    expect(client.getInstructions()).toBe('Second.');
    expect(definition.options.cacheHints).toEqual({ 'tools/list': { ttlMs: 1 } });
  });

  test('are not modified by the merge', async () => {
    const capabilities: ServerCapabilities = { tools: { listChanged: true }, resources: {} };
    const features: Feature[] = [
      { name: 'a', options: { capabilities } },
      { name: 'b', options: { capabilities: { resources: { subscribe: true } } } },
    ];

    await connect({ tools: SCOPED, features });

    expect(capabilities).toEqual({ tools: { listChanged: true }, resources: {} });
  });

  test('may be absent: a server without tools and features has no capabilities, and works', async () => {
    const { client } = await connect({});

    expect(client.getServerCapabilities()).toEqual({});
    await expect(client.ping()).resolves.toBeDefined();
  });
});

/** Connects a client whose requests carry no caller. */
async function connectPlain(server: ReturnType<typeof createMcpServer>): Promise<Client> {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'legacy' } });
  await server.connect(serverSide);
  await client.connect(clientSide);
  return client;
}
