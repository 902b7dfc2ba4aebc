/** Real clients, started with what `npm run connect` prints, against a real server: they get in as the token's user. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findModernNode } from '../../scripts/modern-node.ts';
import { connectClient } from '../support/clients.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { PACKAGE } from '../support/package.ts';
import { builtFile, createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { hasTime } from '../support/reduced.mjs';
import {
  fixtureEntry,
  type ServerProcess,
  startServer,
  TOKEN,
  WITH_TOKENS,
} from '../support/server-process.ts';
import { connectStdio } from '../support/stdio-clients.ts';

const sandbox = createSandbox();
let server: ServerProcess;
let modernNode: string;
// The tests of CI need a Node that npm may have to download first.
beforeAll(async () => {
  modernNode = hasTime ? await findModernNode() : process.execPath;
  server = await startServer(sandbox, WITH_TOKENS);
}, 180_000);
afterAll(async () => sandbox.close());

/** What the command prints for a client of the server under test. */
async function printedFor(client: string): Promise<string> {
  const args = ['--client', client, '--url', server.url.replace('127.0.0.1', 'localhost'), '--token-stdin'];
  const run = sandbox.spawn({ args: [builtFile('scripts/connect.js'), ...args], cwd: server.cwd });
  run.child.stdin.end(TOKEN.ada);
  const { code } = await waitForEnd(run);
  if (code !== 0) throw new Error(`connect ended with ${code}: ${run.stderr()}`);
  return run.stdout();
}

/** A folder of somebody who has installed the clients. */
async function userFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await sandbox.folder({ 'package.json': '{ "type": "module" }', ...files });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Runs a program to its end and returns what it prints. */
async function outputOf(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const run = sandbox.spawn({ command, args, cwd, env });
  const { code } = await waitForEnd(run, { timeoutMs: 40_000 });
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${run.stdout()}\n${run.stderr()}`);
  return run.stdout();
}

/** An entry of a host's configuration. */
interface HostConfiguration {
  readonly mcpServers: Record<string, { command: string; args: string[]; env?: Record<string, string> }>;
}

// What mcp-remote does with such a configuration is in mcp-remote.test.ts.
testEach([
  ['claude-desktop-stdio', 'stdio'],
  ['claude-desktop', 'streamable-http'],
])(
  'a host with the configuration of %s calls tools as the user',
  async (client, transport) => {
    const { mcpServers } = JSON.parse(await printedFor(client)) as HostConfiguration;
    const { command, args, env } = mcpServers[PACKAGE.name] ?? { command: '', args: [] };
    const cwd = await userFolder();

    const host = await connectStdio(sandbox, 'v1', {
      command,
      // The printed entry, with the tools of the tests in place of a fork's.
      args: args.flatMap((word) => (word === builtFile('src/stdio.js') ? fixtureEntry('stdio') : [word])),
      cwd,
      env: { MCP_REMOTE_CONFIG_DIR: cwd, ...env },
    });
    const me = await host.call('whoami');

    expect(JSON.parse(me.text)).toMatchObject({ userId: 'ada', transport });
  },
  60_000,
);

testInCi(
  'the command for the MCP Inspector lists the tools',
  async () => {
    const command = await printedFor('inspector');
    const cwd = await userFolder();

    const PATH = `${path.dirname(modernNode)}${path.delimiter}${process.env['PATH']}`;
    const output = await outputOf('sh', ['-c', command], { cwd, env: { PATH } });

    expect(JSON.parse(output)).toMatchObject({
      tools: [{ name: 'get_greeting' }, { name: 'echo_message' }, { name: 'whoami' }],
    });
  },
  60_000,
);

test('the commands for curl list the tools, by either way as the user', async () => {
  const command = await printedFor('curl');

  const output = await outputOf('sh', ['-c', command], { cwd: server.cwd });

  expect(output).toContain('"user":{"userId":"ada"');
  expect(output).toMatch(/"result":\{[^]*"get_greeting"[^]*"resultType":"complete"/);
});

testInCi(
  'the program for the AI SDK lists the tools',
  async () => {
    const cwd = await userFolder({ 'tools.mjs': await printedFor('ai-sdk') });

    const output = await outputOf(modernNode, ['tools.mjs'], { cwd });

    expect(output).toBe("[ 'get_greeting', 'echo_message', 'whoami' ]\n");
  },
  60_000,
);

testInCi(
  'the program for the OpenAI Agents SDK has the model’s call answered as the user',
  async () => {
    const openAi = await startFakeOpenAi();
    const cwd = await userFolder({ 'agent.mjs': await printedFor('openai-agents') });

    const output = await outputOf(modernNode, ['agent.mjs'], {
      cwd,
      env: {
        OPENAI_API_KEY: 'sk-test',
        OPENAI_BASE_URL: `${openAi.url}/v1`,
        OPENAI_AGENTS_DISABLE_TRACING: '1',
      },
    });

    expect(output).toContain('"userId":"ada"');
    expect(openAi.bodies[0]).toMatchObject({
      tools: [{ name: 'get_greeting' }, { name: 'echo_message' }, { name: 'whoami' }],
    });
  },
  60_000,
);

testInCi('the command for the Responses API gives OpenAI an address and a token that let it in', async () => {
  const openAi = await startFakeOpenAi();
  const command = (await printedFor('openai-responses')).replace('https://api.openai.com', openAi.url);

  await outputOf('sh', ['-c', command], { cwd: server.cwd, env: { OPENAI_API_KEY: 'sk-test' } });
  const { tools } = openAi.bodies[0] as {
    tools: [{ type: string; server_url: string; authorization: string }];
  };
  const [{ type, server_url: url, authorization }] = tools;
  const client = await connectClient('v1 http', { url, token: authorization });
  sandbox.defer(async () => client.close());
  const me = await client.call('whoami');

  expect(type).toBe('mcp');
  expect(url).toMatch(/\/mcp$/);
  expect(JSON.parse(me.text)).toMatchObject({ userId: 'ada' });
});

/** Enough of OpenAI's Responses API for one agent. */
async function startFakeOpenAi(): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = (await json(req)) as { input: unknown };
    bodies.push(body);
    res.setHeader('Content-Type', 'application/json');
    const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
    const response = { object: 'response', created_at: 1, status: 'completed', model: 'test', usage };
    res.end(JSON.stringify({ id: `resp_${bodies.length}`, ...response, output: [nextOutput(body.input)] }));
  };
  const fake = createServer((req, res) => void answer(req, res));
  fake.listen(0, '127.0.0.1');
  await once(fake, 'listening');
  sandbox.defer(async () => {
    fake.closeAllConnections();
    fake.close();
  });
  const address = fake.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, bodies };
}

/** What the model says: it calls whoami, then repeats what it was told. */
function nextOutput(input: unknown) {
  const items = Array.isArray(input) ? (input as { type?: string; output?: unknown }[]) : [];
  const told = items.find(({ type }) => type === 'function_call_output');
  const status = 'completed';
  if (told === undefined)
    return { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'whoami', arguments: '{}', status };
  const content = [{ type: 'output_text', text: textOf(told.output), annotations: [] }];
  return { type: 'message', id: 'msg_1', role: 'assistant', status, content };
}

/** A tool's answer as the SDK passes it on: a string, or content blocks. */
function textOf(output: unknown): string {
  if (typeof output === 'string') return output;
  return (output as { text?: string }[]).map(({ text = '' }) => text).join('');
}
