/** The bundle's bridge under the SDK's client: calls, progress, questions, refusals in words, and a server that restarts. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, type ElicitRequest } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { installNode } from '../../scripts/modern-node.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { findFreePort } from '../support/free-port.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { testEach } from '../support/in-ci.ts';
import { createSandbox, ROOT } from '../support/process.ts';
import { send, sendRaw } from '../support/raw-http.ts';
import { hasTime } from '../support/reduced.mjs';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const BRIDGE = path.join(ROOT, 'bundle/connect.mjs');

/** Says how far it is, asks, and returns what it was told. */
const askOnTheWay = defineTool({
  name: 'ask_on_the_way',
  title: 'Ask on the way',
  description: 'Reports progress, then asks for a word.',
  input: z.object({}),
  elicits: true,
  async run(_input, { progress, elicit }) {
    await progress(1, 2);
    return JSON.stringify(await elicit({ message: 'Which word?', form: z.object({ word: z.string() }) }));
  },
});

/** Returns what it is told, on a stream of events. */
const echoOnTheWay = defineTool({
  name: 'echo_on_the_way',
  title: 'Echo on the way',
  description: 'Reports progress, then returns the message.',
  input: z.object({ message: z.string() }),
  async run({ message }, { progress }) {
    await progress(1, 2);
    return message;
  },
});

/** In CI a Node from npm's registry or its cache; else there is none. */
const nodeFromNpm = async (major: number): Promise<string | undefined> =>
  hasTime ? installNode(major) : undefined;
/** This one, the oldest that the bundle says it runs on, and one whose readline ends lines at U+2028. */
const NODES = [
  { version: process.versions.node, node: process.execPath },
  { version: '18', node: await nodeFromNpm(18) },
  { version: '24', node: await nodeFromNpm(24) },
];

const clients: Client[] = [];
let server: TestServer;
let port: string;
/** Starts the server on the port of this suite. */
const start = async (): Promise<TestServer> =>
  startTestServer({ env: { PORT: port }, tools: [...fixtureTools, askOnTheWay, echoOnTheWay] });
beforeAll(async () => {
  port = String(await findFreePort());
  server = await start();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.close()));
});
afterAll(async () => server.close());

/** A host that has started the bridge with this Node, and with this for its token. */
async function connectBy(
  node: string | undefined,
  token: string,
  url = `http://localhost:${port}/mcp`,
): Promise<Client> {
  const client = new Client({ name: 'host', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler('elicitation/create', (_request: ElicitRequest) => ({
    action: 'accept',
    content: { word: 'plain' },
  }));
  const env = { MCP_URL: url, MCP_TOKEN: token, PATH: process.env['PATH'] ?? '' };
  const transport = new StdioClientTransport({
    command: node ?? process.execPath,
    args: [BRIDGE],
    env,
    stderr: 'ignore',
  });
  clients.push(client);
  await client.connect(transport);
  return client;
}

/** The text of a tool's answer. */
async function call(client: Client, name: string, options = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: {} }, options);
  return JSON.stringify(content);
}

for (const { version, node } of NODES) {
  const describeNode = node === undefined ? describe.skip : describe;
  describeNode(`the bridge on Node ${version}`, () => {
    test('calls tools as the token’s user', async () => {
      const client = await connectBy(node, ADA);

      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('get_greeting');
      expect(await call(client, 'get_greeting')).toContain('Ada Lovelace');
    });

    test('hands progress on, and questions of the server, and their answers', async () => {
      const client = await connectBy(node, ADA);
      const progress: number[] = [];

      const answer = await call(client, 'ask_on_the_way', {
        onprogress: (report: { progress: number }) => progress.push(report.progress),
      });

      // The question ends a run, and the answer begins another one, whose report may come too late for the client.
      expect(new Set(progress)).toEqual(new Set([1]));
      expect(answer).toContain('plain');
    });

    testEach(['echo_on_the_way', 'echo_message'])(
      'hands on what holds U+2028 or U+2029, both ways: %s',
      async (name) => {
        const client = await connectBy(node, ADA);
        const options = { onprogress: () => undefined };
        const message = 'one\u2028two\u2029three';

        const { content } = await client.callTool({ name, arguments: { message } }, options);

        expect(JSON.stringify(content)).toContain(message);
      },
    );

    test('begins anew when the server has been restarted, and the client notices nothing', async () => {
      const client = await connectBy(node, ADA);
      await call(client, 'get_greeting');
      await server.close();

      const answer = call(client, 'get_greeting');
      server = await start();

      expect(await answer).toContain('Ada Lovelace');
      expect(await call(client, 'get_greeting')).toContain('Ada Lovelace');
    });

    describe('a token or an address that is no good', () => {
      testEach([
        ['unknown', 'tok_wrong_0123456789', 'The token is unknown to this server.'],
        ['expired', 'tok_expired_0123456789', 'The token has expired.'],
        ['encrypted', '__encrypted__:abcdefghijkl', 'enter the token in the client again'],
        ['empty', '', 'No token is set.'],
        [
          'in typographic quotes',
          '\u201Ctok_ada_0123456789\u201D',
          'The token holds a character that no token has',
        ],
        [
          'with what nobody sees',
          'tok_ada_0123456789\u200B',
          'The token holds a character that no token has',
        ],
        ['not filled in', '${user_config.token}', 'No token is set.'],
      ] as const)('(%s) is explained in words', async (_what, token, words) => {
        await expect(connectBy(node, token)).rejects.toThrow(words);
      });

      testEach(['my-app.example/mcp', '', 'file:///mcp'])('nor is the address "%s"', async (url) => {
        await expect(connectBy(node, ADA, url)).rejects.toThrow(
          'MCP_URL, the address of the server, is no URL that begins with https:// or http://.',
        );
      });
    });
  });
}

describe('the server', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  test('hands the bundle out with its own address, and the bridge in it is the one tested here', async () => {
    const response = await fetch(`${server.url}/connect.mcpb`);

    const bytes = Buffer.from(await response.arrayBuffer());
    await writeFile(path.join(await sandbox.folder(), 'my.mcpb'), bytes);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w-]+\.mcpb"$/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(bytes.includes(`"MCP_URL": "${server.url}/mcp"`)).toBe(true);
    expect(bytes.includes(ADA)).toBe(false);
  });

  testEach(['localhost:99999', '127.0.0.1:70000', '[::1]:65536'])(
    'hands out none with the address %s, which is none: 404 in words',
    async (host) => {
      const answer = await sendRaw(server.url, ['GET /connect.mcpb HTTP/1.1', `Host: ${host}`]);

      expect(answer).toMatchObject({ status: 404, body: { error: 'not_found' } });
    },
  );

  test('answers HEAD, and no other method', async () => {
    const [head, post] = await Promise.all(
      ['HEAD', 'POST'].map(async (method) => send(`${server.url}/connect.mcpb`, { method })),
    );

    expect([head?.status, post?.status]).toEqual([200, 405]);
  });
});
