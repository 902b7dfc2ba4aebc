/** The extension point below defineTool: what else a fork can register on the SDK, and that changes reach every client. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { completable, type ServerNotifier, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../../src/mcp/feature.ts';
import { connectInMemory, type InMemoryConnection } from '../support/in-memory-mcp.ts';
import { waitFor } from '../support/process.ts';
import { ADA, BOB, startTestServer, type TestServer } from '../support/start-server.ts';

const CITIES = ['paris', 'parma', 'prague'];

/** Prompts, resources and completions that know the user whom they serve. */
const library: Feature = {
  name: 'library',
  options: { capabilities: { completions: {} } },
  register(server, { callerOf, log }) {
    server.registerPrompt(
      'travel',
      { argsSchema: z.object({ city: completable(z.string(), (typed) => startingWith(typed)) }) },
      ({ city }, context) => {
        log.info({ userId: callerOf(context).user.userId }, 'prompt served');
        return { messages: [{ role: 'user', content: { type: 'text', text: `To ${city}!` } }] };
      },
    );
    server.registerResource('me', 'test://me', {}, ({ href }, context) => ({
      contents: [{ uri: href, text: callerOf(context).user.name }],
    }));
    server.registerResource(
      'city',
      new ResourceTemplate('test://city/{city}', {
        list: undefined,
        complete: { city: (typed) => startingWith(typed) },
      }),
      {},
      ({ href }, { city }) => ({ contents: [{ uri: href, text: `All about ${String(city)}` }] }),
    );
    server.registerTool('ask', { description: 'Asks the user.' }, async (context) => {
      const answer = await context.mcpReq.elicitInput({
        mode: 'form',
        message: 'Really?',
        requestedSchema: { type: 'object', properties: { sure: { type: 'boolean' } } },
      });
      return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
    });
  },
};

/** The cities that begin with this text. */
function startingWith(typed: string): string[] {
  return CITIES.filter((city) => city.startsWith(typed));
}

describe('a feature', () => {
  let connection: InMemoryConnection | undefined;
  afterEach(async () => connection?.close());

  /** Connects a client to a server with the feature above. */
  async function connect(): Promise<InMemoryConnection> {
    connection = await connectInMemory({ features: [library] });
    return connection;
  }

  test('can register prompts, which know their caller and use the log of the server', async () => {
    const { client, lines } = await connect();

    const { prompts } = await client.listPrompts();
    const { messages } = await client.getPrompt({ name: 'travel', arguments: { city: 'parma' } });

    expect(prompts.map(({ name }) => name)).toEqual(['travel']);
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'To parma!' } }]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'prompt served', userId: 'ada' }));
  });

  test('can register resources and templates, which know the caller of each request', async () => {
    const { client, actAs } = await connect();

    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    const first = await client.readResource({ uri: 'test://me' }, { cacheMode: 'bypass' });
    actAs({ userId: 'bob', name: 'Bob' });
    const second = await client.readResource({ uri: 'test://me' }, { cacheMode: 'bypass' });
    const city = await client.readResource({ uri: 'test://city/parma' });

    expect(resources.map(({ uri }) => uri)).toEqual(['test://me']);
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['test://city/{city}']);
    expect(first.contents).toMatchObject([{ text: 'Ada Lovelace' }]);
    expect(second.contents).toMatchObject([{ text: 'Bob' }]);
    expect(city.contents).toMatchObject([{ text: 'All about parma' }]);
  });

  test('can offer completions for the arguments of prompts and templates', async () => {
    const { client } = await connect();

    const ofPrompt = await client.complete({
      ref: { type: 'ref/prompt', name: 'travel' },
      argument: { name: 'city', value: 'par' },
    });
    const ofTemplate = await client.complete({
      ref: { type: 'ref/resource', uri: 'test://city/{city}' },
      argument: { name: 'city', value: 'pr' },
    });

    expect(ofPrompt.completion.values).toEqual(['paris', 'parma']);
    expect(ofTemplate.completion.values).toEqual(['prague']);
  });

  test('can elicit input from the client during a call', async () => {
    const { client, call } = await connect();
    client.setRequestHandler('elicitation/create', async ({ params }) => ({
      action: params.message === 'Really?' ? ('accept' as const) : ('decline' as const),
      content: { sure: true },
    }));

    const result = await call('ask');

    expect(result).toEqual({
      content: [{ type: 'text', text: '{"action":"accept","content":{"sure":true}}' }],
    });
  });

  test('is registered anew for each connection', async () => {
    let registered = 0;
    const counting: Feature = { name: 'counting', register: () => void (registered += 1) };
    const first = await connectInMemory({ features: [counting] });
    const second = await connectInMemory({ features: [counting] });
    await Promise.all([first.close(), second.close()]);

    expect(registered).toBe(2);
  });
});

describe('a change that a feature announces', () => {
  let server: TestServer;
  let changes: ServerNotifier;
  const clients: Client[] = [];

  /** Keeps the notifier, and offers one of everything that can change. */
  const changing: Feature = {
    name: 'changing',
    options: { capabilities: { resources: { subscribe: true, listChanged: true } } },
    register(mcp, context) {
      ({ changes } = context);
      mcp.registerPrompt('prompt', {}, () => ({ messages: [] }));
      mcp.registerResource('a', 'test://a', {}, ({ href }) => ({ contents: [{ uri: href, text: 'a' }] }));
    },
  };
  beforeAll(async () => {
    server = await startTestServer({ features: [changing] });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => client.close()));
  });
  afterAll(async () => {
    await server.close();
  });

  /** Connects a client over a transport, and notes its notifications. */
  async function connect(kind: string, token = ADA): Promise<{ client: Client; heard: string[] }> {
    const requestInit = { headers: { Authorization: `Bearer ${token}` } };
    const transport: Transport = kind.endsWith('sse')
      ? new SSEClientTransport(new URL('/sse', server.url), { requestInit })
      : new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit });
    const mode = kind.startsWith('2026') ? ({ pin: '2026-07-28' } as const) : 'legacy';
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    const heard: string[] = [];
    for (const method of [
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ] as const) {
      client.setNotificationHandler(method, () => void heard.push(method));
    }
    client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void heard.push(params.uri),
    );
    await client.connect(transport);
    clients.push(client);
    return { client, heard };
  }

  test.each(['http', 'sse'])('reaches a session over %s, once and in order', async (kind) => {
    const { heard } = await connect(kind);
    await announceUntil(
      () => changes.toolsChanged(),
      () => heard.length > 0,
    );

    changes.promptsChanged();
    changes.resourcesChanged();
    await waitFor('both', () => heard.includes('notifications/resources/list_changed'));

    expect(heard.filter((method) => !method.includes('tools'))).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
  });

  test('of a resource reaches its subscribers, of any user, and no other session', async () => {
    const [ada, bob, other] = [await connect('http'), await connect('sse', BOB), await connect('sse')];
    await ada.client.subscribeResource({ uri: 'test://a' });
    await bob.client.subscribeResource({ uri: 'test://a' });
    await other.client.subscribeResource({ uri: 'test://b' });

    await announceUntil(
      () => changes.resourceUpdated('test://a'),
      () => ada.heard.length > 0 && bob.heard.length > 0,
    );
    changes.resourceUpdated('test://b');
    await waitFor('the last one', () => other.heard.length > 0);

    expect(new Set(ada.heard)).toEqual(new Set(['test://a']));
    expect(other.heard).toEqual(['test://b']);
  });

  test('reaches a subscription of 2026-07-28 that requested it', async () => {
    const { client, heard } = await connect('2026-07-28');
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['test://a'] });

    changes.promptsChanged();
    changes.resourceUpdated('test://b');
    changes.resourceUpdated('test://a');
    changes.toolsChanged();
    await waitFor('both', () => heard.length >= 2);
    await subscription.close();

    expect(heard).toEqual(['test://a', 'notifications/tools/list_changed']);
  });
});

/** Announces repeatedly until the client has been notified: its stream may not be open yet. */
async function announceUntil(announce: () => void, heard: () => boolean): Promise<void> {
  await waitFor('the notification', () => {
    if (!heard()) announce();
    return heard();
  });
}
