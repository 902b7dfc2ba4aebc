/** With SERVER_SECRET, sessions of Streamable HTTP survive their process and are valid at every other one: what continues, and what is 404. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as fc from 'fast-check';
import { z } from 'zod';
import { spellNotes } from '../../../src/http/transports/session-notes.ts';
import type { McpDefinition } from '../../../src/mcp/server.ts';
import type { Feature } from '../../../src/mcp/feature.ts';
import { anyCharacter } from '../../support/any-character.ts';
import { confirm } from '../../support/confirm-tool.ts';
import { fixtureTools } from '../../../lab/fixture/tools.mjs';
import { createHeldTool } from '../../support/held-tool.ts';
import { type Answer, callTool, initialize, openMcpSession, rpc, send } from '../../support/raw-http.ts';
import { openStream } from '../../support/sse-reader.ts';
import {
  ADA,
  BOB,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../support/start-server.ts';

const SECRET = randomBytes(32).toString('base64url');
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => server.close()));
});

/** Starts a process of the server. */
async function start({ env, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({ env: { SERVER_SECRET: SECRET, ...env }, ...options });
  servers.push(server);
  return server;
}

/** Sends a request for a session to a process. */
const ask = (
  { url }: TestServer,
  id: string,
  { token = ADA, ...rest }: Parameters<typeof send>[1] = {},
): Promise<Answer> => send(`${url}/mcp`, { token, headers: { 'Mcp-Session-Id': id }, ...rest });

/** The parts of an answer that must not depend on why a session is missing. */
const shapeOf = ({ status, body, headers }: Answer): unknown => [
  status,
  body,
  [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
];

/** A feature whose tool returns what the server knows about its client. */
const tellsClient: Feature = {
  name: 'client',
  register: (server) =>
    void server.registerTool(
      'client',
      { inputSchema: z.object({}), outputSchema: z.looseObject({}) },
      () => ({
        content: [],
        structuredContent: {
          can: server.server.getClientCapabilities(),
          is: server.server.getClientVersion(),
        },
      }),
    ),
};

/** A feature that elicits from its client, on the stream of the call during which it does so. */
const asks: Feature = {
  name: 'asks',
  register: (server) =>
    void server.registerTool('ask', {}, async ({ mcpReq }) => {
      const requestedSchema = { type: 'object', properties: {} } as const;
      const { action } = await mcpReq.elicitInput(
        { mode: 'form', message: 'Really?', requestedSchema },
        { relatedRequestId: mcpReq.id },
      );
      return { content: [{ type: 'text', text: action }] };
    }),
};

/** What a client may say about itself, malicious or merely too much. */
const said = fc.dictionary(
  fc.constantFrom(
    'name',
    'version',
    'title',
    'icons',
    'roots',
    'elicitation',
    'form',
    'tasks',
    'requests',
    'x',
  ),
  fc.letrec((tie) => ({
    value: fc.oneof(fc.string({ unit: anyCharacter, maxLength: 200 }), fc.boolean(), tie('more')),
    more: fc.dictionary(fc.constantFrom('listChanged', 'form', 'list', 'sampling', 'x'), tie('value')),
  })).value,
);

test('the notes about a client have room in a session id, whatever it says about itself', () => {
  const features = [tellsClient];
  const definition = { features, tools: [] } as unknown as McpDefinition;

  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 200 }), said, said, (version, can, is) => {
      const params = { protocolVersion: version, capabilities: can, clientInfo: is };
      const notes = spellNotes(definition, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
      expect(Buffer.byteLength(notes ?? '')).toBeLessThanOrEqual(1_000);
    }),
  );
});

describe('a session continues', () => {
  test.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'at every process, for its user and in revision %s',
    async (revision) => {
      const [here, there] = [await start(), await start()];
      const { id } = await openMcpSession(here.url, ADA, revision);

      const answers = [
        await ask(there, id, { body: callTool(1, 'whoami') }),
        await ask(here, id, { body: callTool(2, 'whoami') }),
        await ask(there, id, { body: rpc(3, 'tools/list') }),
        await ask(there, id, { body: [rpc(4, 'ping')] }),
        await ask(there, id, { body: initialize() }),
      ];

      expect(answers.map(({ status }) => status)).toEqual([
        200,
        200,
        200,
        revision === '2025-03-26' ? 200 : 400,
        400,
      ]);
      for (const { body } of answers.slice(0, 2))
        expect(body).toMatchObject({
          result: { structuredContent: { userId: 'ada', protocolVersion: revision } },
        });
      expect(answers[4]?.text).toContain('initialized already');
    },
  );

  test('for a client of the SDK that does not notice the other process', async () => {
    const [here, there] = [await start(), await start()];
    const client = new Client({ name: 'kept', version: '1' });
    let origin = here.url;
    const transport = new StreamableHTTPClientTransport(new URL(`${here.url}/mcp`), {
      requestInit: { headers: { Authorization: `Bearer ${ADA}` } },
      // Stands in for a proxy.
      fetch: async (url, init) => fetch(new URL(new URL(url).pathname, origin), init),
    });
    await client.connect(transport);
    origin = there.url;

    const result = await client.callTool({ name: 'whoami', arguments: {} });
    const { tools } = await client.listTools();
    await client.close();

    expect(result.structuredContent).toMatchObject({ userId: 'ada' });
    expect(tools.length).toBeGreaterThan(0);
  });

  test('with its stream, which another process opens and ends', async () => {
    const [here, there] = [await start(), await start()];
    const { id, headers } = await openMcpSession(here.url, ADA);

    const stream = await openStream(`${there.url}/mcp`, { headers });
    const ended = await ask(there, id, { method: 'DELETE' });
    const end = await stream.over();

    expect([stream.status, ended.status, end]).toEqual([200, 200, 'ended']);
  });

  test('after it was closed to make room for another one', async () => {
    const server = await start({ env: { MAX_SESSIONS_PER_USER: '1' } });
    const first = await openMcpSession(server.url, ADA);
    const second = await openMcpSession(server.url, ADA);

    const answers = [
      await first.post(rpc(1, 'ping')),
      await second.post(rpc(1, 'ping')),
      await first.post(rpc(2, 'ping')),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test.each([
    ['', { name: 'é', version: '7' }, {}],
    // None of these has room in an id, each by itself.
    [
      'much ',
      { name: 'é', version: '7', icons: [{ src: `data:image/png;base64,${'A'.repeat(5_000)}` }] },
      {},
    ],
    ['much ', { name: 'é', version: '7', description: 'é'.repeat(1_000) }, {}],
    ['much ', { name: 'é', version: '7' }, { experimental: { much: { said: 'x'.repeat(5_000) } } }],
  ])(
    'with what its client said %sabout itself, for a feature that asks for it',
    async (_much, clientInfo, more) => {
      const [here, there] = [
        await start({ features: [tellsClient] }),
        await start({ features: [tellsClient] }),
      ];
      const capabilities = { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true }, ...more };
      const opened = await send(`${here.url}/mcp`, {
        token: ADA,
        body: rpc(0, 'initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo }),
      });
      const id = opened.headers.get('mcp-session-id') ?? '';

      const [home, away] = [
        await ask(here, id, { body: callTool(1, 'client') }),
        await ask(there, id, { body: callTool(1, 'client') }),
      ];

      expect(id.length).toBeLessThan(1_500);
      for (const { body } of [home, away])
        expect(body).toMatchObject({
          result: {
            structuredContent: {
              can: { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true } },
              is: { name: 'é', version: '7' },
            },
          },
        });
    },
  );

  test.each([
    { through: 'a tool that elicits', what: { tools: [confirm] }, name: 'confirm' },
    { through: 'a feature that says for which request', what: { features: [asks] }, name: 'ask' },
  ])('and elicits from its client at either process, through $through', async ({ what, name }) => {
    const [here, there] = [await start(what), await start(what)];
    const opened = await send(`${here.url}/mcp`, {
      token: ADA,
      body: rpc(0, 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { elicitation: { form: {} } },
        clientInfo: { name: 'asked', version: '1' },
      }),
    });
    const id = opened.headers.get('mcp-session-id') ?? '';
    const named = { headers: { 'Mcp-Session-Id': id, Authorization: `Bearer ${ADA}` } };
    const streams = [here, there].map(async ({ url }) =>
      openStream(`${url}/mcp`, { ...named, body: callTool(1, name) }),
    );
    const [atHome, away] = await Promise.all(streams);
    const questionOf = async (stream: typeof away): Promise<unknown> => {
      const { data = '' } =
        (await stream?.waitFor((frame) => frame.data?.includes('elicitation/create') === true)) ?? {};
      return (JSON.parse(data) as { id: unknown }).id;
    };
    const answer = async (server: TestServer, to: unknown, action: string): Promise<Answer> =>
      ask(server, id, {
        body: {
          jsonrpc: '2.0',
          id: to,
          result: { action, ...(action === 'accept' && { content: { sure: true } }) },
        },
      });
    const [homeId, awayId] = [await questionOf(atHome), await questionOf(away)];

    // A response that is meant for the other process does nothing here: it would be the wrong answer.
    const astray = [await answer(here, awayId, 'decline'), await answer(there, homeId, 'decline')];
    await answer(here, homeId, 'accept');
    await answer(there, awayId, 'cancel');
    const results = [await atHome?.answerTo(1), await away?.answerTo(1)];

    expect(astray.map(({ status }) => status)).toEqual([202, 202]);
    expect(homeId).not.toBe(awayId);
    expect(results).toMatchObject([
      { result: { content: [{ text: 'accept' }] } },
      { result: { content: [{ text: 'cancel' }] } },
    ]);
  });

  test('after SERVER_SECRET was replaced, while the old secret is listed behind it', async () => {
    const next = randomBytes(32).toString('base64url');
    const here = await start();
    const [during, after] = [
      await start({ env: { SERVER_SECRET: `${next},${SECRET}` } }),
      await start({ env: { SERVER_SECRET: next } }),
    ];
    const { id } = await openMcpSession(here.url, ADA);

    const statuses = await Promise.all(
      [during, after].map(async (server) => (await ask(server, id, { body: rpc(1, 'ping') })).status),
    );

    expect(statuses).toEqual([200, 404]);
  });
});

describe('a session gets the same 404 as an unknown one', () => {
  test("when it is another user's, forged, altered or of another secret, with every method", async () => {
    const [here, there] = [await start(), await start()];
    const { id } = await openMcpSession(here.url, ADA);
    const foreign = await start({ env: { SERVER_SECRET: randomBytes(32).toString('base64url') } });
    const verbs = [
      { body: callTool(1, 'whoami') },
      { method: 'GET' },
      { method: 'DELETE' },
      { body: initialize() },
    ];
    const shapes = async (server: TestServer, named: string, token: string): Promise<unknown[]> =>
      Promise.all(verbs.map(async (verb) => shapeOf(await ask(server, named, { ...verb, token }))));

    const unknown = await shapes(there, crypto.randomUUID(), ADA);
    const missing = [
      await shapes(there, id, BOB),
      await shapes(there, randomBytes(90).toString('base64url'), ADA),
      await shapes(there, `${id.slice(0, 40)}${id[40] === 'A' ? 'B' : 'A'}${id.slice(41)}`, ADA),
      await shapes(foreign, id, ADA),
    ];
    const alive = await ask(there, id, { body: rpc(1, 'ping') });

    for (const shape of missing) expect(shape).toEqual(unknown);
    expect(alive.status).toBe(200);
  });

  test('when it has ended, in the process where it ended', async () => {
    const server = await start();
    const session = await openMcpSession(server.url, ADA);

    const [ended, after] = [
      await ask(server, session.id, { method: 'DELETE' }),
      await session.post(rpc(1, 'ping')),
    ];

    expect([ended.status, after.status]).toEqual([200, 404]);
  });

  test('at another process when a feature keeps state in it', async () => {
    const features: readonly Feature[][] = [
      [{ name: 'logs', options: { capabilities: { logging: {} } } }],
      [{ name: 'files', options: { capabilities: { resources: { subscribe: true } } } }],
      [{ name: 'talk', keepsSessionState: true }],
    ];

    for (const declared of features) {
      const [here, there] = [await start({ features: declared }), await start({ features: declared })];
      const { id } = await openMcpSession(here.url, ADA);
      const statuses = [
        await ask(here, id, { body: rpc(1, 'ping') }),
        await ask(there, id, { body: rpc(1, 'ping') }),
      ];

      expect(statuses.map(({ status }) => status)).toEqual([200, 404]);
    }
  });
});

test('a cancellation that reaches another process does not abort a call, one that reaches its own does', async () => {
  const held = createHeldTool();
  const tools = [...fixtureTools, held.tool];
  const [here, there] = [await start({ tools }), await start({ tools })];
  const { id } = await openMcpSession(here.url, ADA);
  const pending = ask(here, id, { body: callTool(1, 'hold') });
  await held.untilWaiting(1);
  const cancel = { body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } } };

  const away = await ask(there, id, cancel);
  const abortedAway = held.aborted;
  const home = await ask(here, id, cancel);

  expect([away.status, home.status, (await pending).status]).toEqual([202, 202, 202]);
  expect([abortedAway, held.aborted]).toEqual([0, 1]);
});
