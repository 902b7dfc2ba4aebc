/** The life of services: opened in order with their values, found by their declaration, and closed in reverse order. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from '../../src/config/config-error.ts';
import { NETWORK_VARIABLES } from '../../src/config/network.ts';
import type { Variable, Variables } from '../../src/config/variable.ts';
import { defineResource } from '../../src/mcp/resource.ts';
import { defineService, type Service, type ServiceContext } from '../../src/mcp/service.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { ownVariablesOf } from '../../src/server/server-definition.ts';
import { openServices, type ServicesOptions } from '../../src/server/services.ts';
import { createMemoryLog } from '../support/memory-log.ts';
import { callTool, eventually, openMcpSession, send } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

/** Opens services with very short deadlines. */
function open(services: readonly Service[], options: Partial<ServicesOptions> = {}) {
  const { log, lines } = createMemoryLog();
  const deadlines = { openMs: 50, readyMs: 50, closeMs: 50 };
  return { opening: openServices({ services, values: {}, log, deadlines, ...options }), lines };
}

/** A service that notes what happens to it. */
function createNoted(name: string, notes: string[]): Service<string> {
  return defineService({
    name,
    open: () => {
      notes.push(`open ${name}`);
      return `the ${name}`;
    },
    close: (instance) => void notes.push(`close ${instance}`),
  });
}

describe('services', () => {
  test('are opened in order and closed in reverse order', async () => {
    const notes: string[] = [];
    const { opening } = open([createNoted('one', notes), createNoted('two', notes)]);

    await (await opening).close();

    expect(notes).toEqual(['open one', 'open two', 'close the two', 'close the one']);
  });

  test('are opened with the values of their own variables', async () => {
    const service = defineService({
      name: 'lessons',
      variables: {
        LESSONS_LIMIT: { description: 'How many.', example: '3', schema: z.string().transform(Number) },
      },
      open: ({ LESSONS_LIMIT }) => ({ limit: LESSONS_LIMIT + 1 }),
    });
    const { opening } = open([service], { values: { LESSONS_LIMIT: 3, PORT: 1 } });

    const { use } = await opening;

    expect(use(service).limit).toBe(4);
  });

  test('that are not in the list throw an error that says where to add them', async () => {
    const { use } = await open([]).opening;

    expect(() => use(createNoted('stray', []))).toThrow(
      'The service "stray" is not open. List it in src/services/index.ts, before the services that use it.',
    );
  });

  test('use those that are listed before them, also when they close', async () => {
    const notes: string[] = [];
    const one = createNoted('one', notes);
    const two = defineService({
      name: 'two',
      open: (_values, { use }) => ({ found: () => use(one) }),
      close: ({ found }) => void notes.push(`close two with ${found()}`),
    });

    const { use, close } = await open([one, two]).opening;
    const found = use(two).found();
    await close();

    expect(found).toBe('the one');
    expect(notes).toEqual(['open one', 'close two with the one', 'close the one']);
  });

  test('that use one which is listed after them end the start with what to do', async () => {
    const last = createNoted('last', []);
    const first = defineService({ name: 'first', open: (_values, { use }) => use(last) });

    await expect(open([first, last]).opening).rejects.toThrow(
      'The service "first" did not open: The service "last" is not open. List it in src/services/index.ts, before the services that use it.',
    );
  });

  test('that are listed twice end the start, since the first instance would never be closed', async () => {
    const notes: string[] = [];
    const one = createNoted('one', notes);

    await expect(open([one, one]).opening).rejects.toThrow(
      'The service "one" did not open: it is listed twice',
    );

    expect(notes).toEqual(['open one', 'close the one']);
  });

  test('that fail to open are named with the reason, and those before are closed', async () => {
    const notes: string[] = [];
    const broken = defineService({
      name: 'database',
      open: () => {
        throw new Error('no such host');
      },
    });

    await expect(open([createNoted('one', notes), broken]).opening).rejects.toThrow(
      'The service "database" did not open: no such host',
    );

    expect(notes).toEqual(['open one', 'close the one']);
  });

  test('that take too long to open are aborted and named', async () => {
    let aborted = false;
    const slow = defineService({
      name: 'slow',
      open: async (_values, { signal }) => {
        signal.addEventListener('abort', () => (aborted = true));
        await delay(60_000, undefined, { signal }).catch(() => undefined);
      },
    });

    await expect(open([slow]).opening).rejects.toThrow(
      'The service "slow" did not open: it took longer than 0.05 s',
    );

    expect(aborted).toBe(true);
  });

  test('are closed when the start is aborted, the opening one is aborted, and no other is opened', async () => {
    const notes: string[] = [];
    const stopping = defineService({
      name: 'stopping',
      open: async (_values, { signal }) => {
        notes.push('open stopping');
        await delay(60_000, undefined, { signal });
      },
    });
    const deadlines = { openMs: 60_000, readyMs: 50, closeMs: 60_000 };
    let close: (() => Promise<void>) | undefined;
    const services = [createNoted('one', notes), stopping, createNoted('two', notes)];
    const { opening } = open(services, { deadlines, onBegin: (how) => void (close = how) });
    await eventually(() => notes.includes('open stopping'));

    const [outcome] = await Promise.allSettled([opening, close?.()]);

    expect(outcome.status).toBe('rejected');
    expect(notes).toEqual(['open one', 'open stopping', 'close the one']);
  });

  test('that fail to close in time are logged, and the others are closed', async () => {
    const notes: string[] = [];
    const hanging = defineService({ name: 'hanging', open: () => 1, close: () => new Promise(() => {}) });
    const failing = defineService({
      name: 'failing',
      open: () => 1,
      close: () => {
        throw new Error('lost');
      },
    });
    const { opening, lines } = open([createNoted('one', notes), hanging, failing]);

    await (await opening).close();

    expect(notes).toEqual(['open one', 'close the one']);
    expect(lines.map(({ msg, service }) => [msg, service])).toEqual([
      ['service did not close', 'failing'],
      ['service did not close', 'hanging'],
    ]);
  });

  test('are asked whether they are ready; one that fails or does not answer is not', async () => {
    const hanging = defineService({ name: 'hanging', open: () => 1, isReady: () => new Promise(() => {}) });
    const failing = defineService({
      name: 'failing',
      open: () => 1,
      isReady: () => {
        throw new Error('lost');
      },
    });
    const no = defineService({ name: 'no', open: () => 1, isReady: () => false });
    const yes = defineService({ name: 'yes', open: () => 1, isReady: async () => true });

    const services = await open([yes, hanging, failing, no, createNoted('silent', [])]).opening;

    expect(await services.findUnready()).toEqual(['hanging', 'failing', 'no']);
  });
});

describe('a server with services', () => {
  let server: TestServer;
  afterEach(async () => server.close());

  test('passes them to tools, and names those that are not ready at /ready', async () => {
    let isReady = true;
    const counter = defineService({ name: 'counter', open: () => ({ value: 41 }), isReady: () => isReady });
    const count = defineTool({
      name: 'count',
      title: 'Count',
      description: 'Counts.',
      input: z.object({}),
      run: (_input, { use }) => String((use(counter).value += 1)),
    });
    server = await startTestServer({ tools: [count], services: [counter] });
    const { id } = await openMcpSession(server.url, ADA);

    const headers = { 'Mcp-Session-Id': id };
    const answer = await send(`${server.url}/mcp`, { token: ADA, headers, body: callTool(1, 'count') });
    const ready = await send(`${server.url}/ready`);
    isReady = false;
    const unready = await send(`${server.url}/ready`);

    expect(answer.body).toMatchObject({ result: { content: [{ text: '42' }] } });
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready' }]);
    expect([unready.status, unready.body]).toEqual([503, { status: 'unavailable: counter' }]);
    expect([ready, unready].map((each) => each.headers.get('retry-after'))).toEqual([null, '5']);
  });

  test.each(['http', 'sse'] as const)(
    'lets a job of one of them notify clients, over %s, whether or not a feature registers anything by itself',
    async (transport) => {
      let notifier: ServiceContext['changes'] | undefined;
      const watcher = defineService({
        name: 'watcher',
        open: (_values, { changes }) => (notifier = changes),
      });
      const lesson = defineResource({
        name: 'lesson',
        title: 'Lesson',
        description: 'A lesson.',
        uri: 'lesson://one',
        read: () => 'One.',
      });
      const capabilities = { resources: { subscribe: true, listChanged: true } };
      const lessons = { name: 'lessons', resources: [lesson], options: { capabilities } };
      server = await startTestServer({ services: [watcher], features: [lessons] });
      const client = new Client({ name: 'listener', version: '1.0.0' });
      const told: unknown[] = [];
      client.fallbackNotificationHandler = async ({ method, params }) =>
        void told.push([method, params?.['uri']]);
      const requestInit = { headers: { Authorization: `Bearer ${ADA}` } };
      await client.connect(
        transport === 'sse'
          ? new SSEClientTransport(new URL('/sse', server.url), { requestInit })
          : new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit }),
      );
      await client.subscribeResource({ uri: 'lesson://one' });

      notifier?.resourcesChanged();
      notifier?.resourceUpdated('lesson://two');
      notifier?.resourceUpdated('lesson://one');
      const wasTold = eventually(() => told.length >= 2);
      await Promise.allSettled([wasTold]);
      await client.close();
      await wasTold;

      expect(told).toEqual([
        ['notifications/resources/list_changed', undefined],
        ['notifications/resources/updated', 'lesson://one'],
      ]);
    },
  );
});

/** Declares a service with these variables. */
function withVariables(name: string, variables: Variables): Service {
  return defineService({ name, variables, open: () => name });
}

describe('a variable of services', () => {
  const LIMIT: Variable = { description: 'How many.', example: '3', schema: z.string().optional() };

  test('that two of them declare ends the start: one would get the value of the other', () => {
    const services = [withVariables('lessons', { LIMIT }), withVariables('hints', { LIMIT: { ...LIMIT } })];

    expect(() => ownVariablesOf({ tools: [], services })).toThrow(
      new ConfigError(
        'The services "lessons" and "hints" both declare the variable LIMIT. Name one of them otherwise, or write the declaration once and use it in both.',
      ),
    );
  });

  test.each(['PORT', 'REPLIT_DEPLOYMENT'])('that the server has as %s ends the start', (name) => {
    expect(() =>
      ownVariablesOf({ tools: [], services: [withVariables('lessons', { [name]: LIMIT })] }),
    ).toThrow(
      new ConfigError(
        `The service "lessons" declares the variable ${name}, which the server has. Name it otherwise, or use the declaration of src/config/.`,
      ),
    );
  });

  test('may be one declaration of several, or of the server', () => {
    const { PORT } = NETWORK_VARIABLES;
    const services = [withVariables('lessons', { LIMIT, PORT }), withVariables('hints', { LIMIT, PORT })];

    expect(ownVariablesOf({ tools: [], services })).toEqual({ LIMIT, PORT });
  });
});
