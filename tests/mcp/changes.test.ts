/** Change notifications: who receives them, what may be subscribed to, and that clients that have left do no harm. */
import { describe, expect, test } from '@jest/globals';
import { InMemoryTransport, McpServer, type ServerCapabilities } from '@modelcontextprotocol/server';
import { type Changes, createChanges, type Follower, followChanges } from '../../src/mcp/changes.ts';
import { createMemoryLog } from '../support/memory-log.ts';

const EVERYTHING: ServerCapabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
};

/** A session that follows changes, and what its client has received. */
interface Session {
  readonly heard: string[];
  /** Sends a request; resolves to the answer. */
  request(method: string, params: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Opens a session of a user. */
async function openSession(
  changes: Changes,
  { userId, capabilities = EVERYTHING }: { userId?: string; capabilities?: ServerCapabilities } = {},
): Promise<Session> {
  const server = new McpServer({ name: 'test', version: '1' }, { capabilities });
  followChanges(changes, server, userId);
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const heard: string[] = [];
  const waiting = new Map<unknown, (answer: Record<string, unknown>) => void>();
  // oxlint-disable-next-line prefer-add-event-listener -- the SDK's transports have no addEventListener
  clientSide.onmessage = (message) => {
    if ('method' in message) {
      const uri = message.params?.['uri'];
      heard.push(typeof uri === 'string' ? `${message.method} ${uri}` : message.method);
    } else waiting.get(message.id)?.({ ...message });
  };
  await server.connect(serverSide);
  await clientSide.start();
  let id = 0;
  const request: Session['request'] = async (method, params) => {
    id += 1;
    const answer = new Promise<Record<string, unknown>>((resolve) => {
      waiting.set(id, resolve);
    });
    await clientSide.send({ jsonrpc: '2.0', id, method, params: { ...params } });
    return answer;
  };
  await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  });
  return { heard, request, close: async () => clientSide.close() };
}

/** Creates the hub of changes, with its log. */
function createHub() {
  const { log, lines } = createMemoryLog();
  return { changes: createChanges(log), lines };
}

/** Lets what has been sent arrive. */
async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('a change', () => {
  test('of each kind is sent to every session of every user', async () => {
    const { changes } = createHub();
    const sessions = [
      await openSession(changes, { userId: 'ada' }),
      await openSession(changes, { userId: 'bob' }),
      await openSession(changes),
    ];

    changes.notifier.toolsChanged();
    changes.notifier.promptsChanged();
    changes.notifier.resourcesChanged();
    await settle();

    for (const { heard } of sessions) {
      expect(heard).toEqual([
        'notifications/tools/list_changed',
        'notifications/prompts/list_changed',
        'notifications/resources/list_changed',
      ]);
    }
  });

  test('of the tools of some users is sent only to their sessions', async () => {
    const { changes } = createHub();
    const ada = [
      await openSession(changes, { userId: 'ada' }),
      await openSession(changes, { userId: 'ada' }),
    ];
    const others = [await openSession(changes, { userId: 'bob' }), await openSession(changes)];

    changes.listChangedFor('tools', new Set(['ada', 'nobody']));
    await settle();

    expect(ada.map(({ heard }) => heard.length)).toEqual([1, 1]);
    expect(others.map(({ heard }) => heard.length)).toEqual([0, 0]);
  });

  test('that a tool announces is sent only to the sessions of its user, and published with the user', async () => {
    const { changes } = createHub();
    const [ada, bob] = [
      await openSession(changes, { userId: 'ada' }),
      await openSession(changes, { userId: 'bob' }),
    ];
    const passedOn: unknown[] = [];
    changes.onPublish((...passed) => passedOn.push(passed));

    changes.tellListChanged('resources', 'ada');
    changes.publish({ kind: 'prompts_list_changed' }, 'bob');
    await settle();

    expect([ada.heard, bob.heard]).toEqual([
      ['notifications/resources/list_changed'],
      ['notifications/prompts/list_changed'],
    ]);
    expect(passedOn).toEqual([[{ kind: 'resources_list_changed' }, 'ada']]);
  });

  test('is sent once to the subscriptions of the stateless revision', () => {
    const { changes } = createHub();
    const heard: unknown[] = [];
    changes.subscriptions.subscribe((event) => heard.push(event));

    changes.notifier.toolsChanged();
    changes.notifier.resourceUpdated('test://a');
    changes.listChangedFor('tools', new Set(['ada']));

    expect(heard).toEqual([
      { kind: 'tools_list_changed' },
      { kind: 'resource_updated', uri: 'test://a' },
      { kind: 'tools_list_changed' },
    ]);
  });

  test('of something that the server does not offer is sent to nobody, and does no harm', async () => {
    const { changes } = createHub();
    const session = await openSession(changes, { capabilities: {} });

    changes.notifier.toolsChanged();
    changes.notifier.promptsChanged();
    changes.notifier.resourcesChanged();
    changes.notifier.resourceUpdated('test://a');
    await settle();

    expect(session.heard).toEqual([]);
  });

  test('after a client has left is sent to the others', async () => {
    const { changes, lines } = createHub();
    const gone = await openSession(changes);
    const here = await openSession(changes);

    await gone.close();
    changes.notifier.toolsChanged();
    await settle();

    expect(gone.heard).toEqual([]);
    expect(here.heard).toEqual(['notifications/tools/list_changed']);
    expect(lines).toEqual([]);
  });

  test('is no longer followed by a session that is over, so that it can be freed', async () => {
    const { changes } = createHub();
    const followers = new Set<Follower>();
    const watched: Changes = {
      ...changes,
      join: (follower) => void followers.add(follower),
      leave: (follower) => void followers.delete(follower),
    };
    const gone = await openSession(watched, { userId: 'ada' });
    await openSession(watched, { userId: 'bob' });

    const before = [...followers].map(({ userId }) => userId);
    await gone.close();

    expect(before).toEqual(['ada', 'bob']);
    expect([...followers].map(({ userId }) => userId)).toEqual(['bob']);
  });
});

describe('a resource', () => {
  test('that changes is announced to its subscribers until they unsubscribe', async () => {
    const { changes } = createHub();
    const session = await openSession(changes);
    const other = await openSession(changes);
    await session.request('resources/subscribe', { uri: 'test://a' });
    await other.request('resources/subscribe', { uri: 'test://b' });

    changes.notifier.resourceUpdated('test://a');
    await settle();
    await session.request('resources/unsubscribe', { uri: 'test://a' });
    changes.notifier.resourceUpdated('test://a');
    await settle();

    expect(session.heard).toEqual(['notifications/resources/updated test://a']);
    expect(other.heard).toEqual([]);
  });

  test('cannot be subscribed to where the server does not offer it', async () => {
    const session = await openSession(createHub().changes, { capabilities: { resources: {} } });

    expect(await session.request('resources/subscribe', { uri: 'test://a' })).toMatchObject({
      error: { code: -32_601 },
    });
  });

  test('cannot be subscribed to by a session with a thousand subscriptions until it unsubscribes', async () => {
    const session = await openSession(createHub().changes);
    for (let index = 0; index < 1000; index += 1) {
      await session.request('resources/subscribe', { uri: `test://${index}` });
    }

    const again = await session.request('resources/subscribe', { uri: 'test://7' });
    const refused = await session.request('resources/subscribe', { uri: 'test://more' });
    await session.request('resources/unsubscribe', { uri: 'test://0' });
    const accepted = await session.request('resources/subscribe', { uri: 'test://more' });

    expect(again).toMatchObject({ result: {} });
    expect(refused).toMatchObject({ error: { code: -32_602, message: expect.stringContaining('1000') } });
    expect(accepted).toMatchObject({ result: {} });
  });
});
